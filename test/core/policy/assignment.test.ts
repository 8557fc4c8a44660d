import { describe, expect, test } from "vitest";
import { completeObjective, Objective } from "../../../core/feature/objective.ts";
import { createAssignment, epochLength } from "../../../core/policy/assignment.ts";

const USERS = 200_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const DAY = 86_400_000;
const ARMS = ["control", "blue", "green"];

function objective(changes: object = {}) {
  const found = completeObjective({
    objective: Objective.parse({ exploration: 0.1, holdout: 0.05, ...changes }),
    off_variant: "control",
  });
  if (found === null) throw new Error("There is an objective");
  return found;
}

/** Pearson's statistic of counts against probabilities. */
function chiSquare(counts: readonly number[], probabilities: readonly number[]): number {
  const n = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce(
    (sum, count, i) => sum + (count - n * (probabilities[i] as number)) ** 2 / (n * (probabilities[i] as number)),
    0,
  );
}

describe("createAssignment()", () => {
  test.each([
    ["a sure policy", [0, 1, 0]],
    ["a mixed policy", [0.2, 0.7, 0.1]],
  ])("serves each arm as often as its stored probability says: %s", (_, policy) => {
    const assignment = createAssignment("offer", ARMS, objective());
    const counts = [0, 0, 0];
    for (let i = 0; i < USERS; i++) {
      const unit = `user-${i}`;
      const { arm } = assignment.isHeldOut(unit) ? assignment.holdOut(unit) : assignment.draw(unit, NOW, policy);
      (counts[arm] as number)++;
    }
    const probabilities = ARMS.map((_, arm) => assignment.marginal(arm, policy));
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    // 99.9 % of the chi-square distribution with two degrees of freedom.
    expect(chiSquare(counts, probabilities)).toBeLessThan(13.8);
  });

  test("follows the formula: (1 - h - f) policy + f uniform + h (half uniform, half safe)", () => {
    const assignment = createAssignment("offer", ARMS, objective());
    expect(assignment.marginal(1, [0, 1, 0])).toBeCloseTo(0.85 + 0.1 / 3 + 0.05 / 6, 12);
    expect(assignment.marginal(0, [0, 1, 0])).toBeCloseTo(0.1 / 3 + 0.05 / 6 + 0.025, 12);
    expect(assignment.marginal(2, [0, 1, 0])).toBeCloseTo(0.1 / 3 + 0.05 / 6, 12);
    expect(assignment.marginal(2, null)).toBeCloseTo(0.05 / 6, 12);
  });

  test("holds the same twentieth of the users out for ever, half of them for the safe arm", () => {
    const assignment = createAssignment("offer", ARMS, objective());
    const held = Array.from({ length: USERS }, (_, i) => `user-${i}`).filter((unit) => assignment.isHeldOut(unit));
    expect(held.length / USERS).toBeCloseTo(0.05, 2);
    const again = createAssignment("offer", ARMS, objective({ exploration: 0.5, min_confidence: 0.5 }));
    expect(held.every((unit) => again.isHeldOut(unit))).toBe(true);
    const counts = [0, 0, 0];
    for (const unit of held) (counts[assignment.holdOut(unit).arm] as number)++;
    expect(chiSquare(counts, [0.5 + 0.5 / 3, 0.5 / 3, 0.5 / 3])).toBeLessThan(13.8);
    // A larger holdout keeps who is in it.
    const larger = createAssignment("offer", ARMS, objective({ holdout: 0.1 }));
    expect(held.every((unit) => larger.isHeldOut(unit))).toBe(true);
  });

  test("draws again only in the next epoch, which is no shorter than the window", () => {
    const assignment = createAssignment("offer", ARMS, objective({ exploration: 0.9, window_seconds: 3 * 86_400 }));
    expect(epochLength(3 * 86_400)).toBe(3 * DAY);
    expect(epochLength(undefined)).toBe(DAY);
    const start = Math.floor(NOW / (3 * DAY)) * 3 * DAY;
    const arms = (now: number) => Array.from({ length: 1000 }, (_, i) => assignment.draw(`u${i}`, now, [0, 1, 0]).arm);
    expect(arms(start + 3 * DAY - 1)).toEqual(arms(start));
    expect(arms(start + 3 * DAY)).not.toEqual(arms(start));
  });

  test("frozen explores nobody, and without an objective nobody is held out either", () => {
    const frozen = createAssignment("offer", ARMS, objective({ exploration: "frozen" }));
    expect(frozen.marginal(0, [0, 1, 0])).toBeCloseTo(0.05 / 6 + 0.025, 12);
    const none = createAssignment("offer", ARMS, null);
    for (let i = 0; i < 1000; i++) {
      expect(none.isHeldOut(`u${i}`)).toBe(false);
      expect(none.draw(`u${i}`, NOW, [0, 0, 1])).toMatchObject({ arm: 2, u: Number.NaN });
    }
  });

  test("draws of two features have nothing to do with each other", () => {
    const [a, b] = ["offer", "banner"].map((key) =>
      createAssignment(key, ["off", "on"], objective({ exploration: 1, holdout: 0, safe_variant: "off" })),
    );
    const cells = [0, 0, 0, 0];
    for (let i = 0; i < USERS; i++) {
      const cell = 2 * (a?.draw(`u${i}`, NOW, [0.5, 0.5]).arm ?? 0) + (b?.draw(`u${i}`, NOW, [0.5, 0.5]).arm ?? 0);
      (cells[cell] as number)++;
    }
    expect(chiSquare(cells, [0.25, 0.25, 0.25, 0.25])).toBeLessThan(16.3);
  });
});
