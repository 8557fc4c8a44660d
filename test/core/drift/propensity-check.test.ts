import { describe, expect, test } from "vitest";
import { createPropensityCheck } from "../../../core/drift/propensity-check.ts";
import { seededRandom } from "../../../core/model/random.ts";

const ARMS = ["off", "on", "gold"];

/** Draws from `really(p)` what is stored as p. */
function run(seed: number, decisions: number, really: (p: readonly number[]) => readonly number[]) {
  const random = seededRandom(seed);
  const check = createPropensityCheck(ARMS);
  for (let i = 0; i < decisions; i++) {
    const on = 0.05 + 0.4 * random();
    const stored = [0.9 - on, on, 0.1];
    const drawn = really(stored);
    const u = random() * drawn.reduce((sum, p) => sum + p, 0);
    const arm = u < (drawn[0] as number) ? 0 : u < (drawn[0] as number) + (drawn[1] as number) ? 1 : 2;
    check.add(ARMS[arm] as string, Object.fromEntries(ARMS.map((name, a) => [name, stored[a] as number])));
  }
  return check.result();
}

describe("createPropensityCheck()", () => {
  test("hardly ever alarms for draws that fit", () => {
    const alarms = Array.from({ length: 300 }, (_, seed) => run(seed, 1000, (p) => p)).filter(({ alarm }) => alarm);
    expect(alarms.length).toBeLessThanOrEqual(3);
    const { arms } = run(1, 5000, (p) => p);
    for (const { z } of arms) expect(Math.abs(z)).toBeLessThan(4);
  });

  test("finds one arm given half as often again", () => {
    const found = run(2, 4000, ([off = 0, on = 0, gold = 0]) => [off, on * 1.5, gold]);
    expect(found).toMatchObject({ alarm: true, impossible: 0, decisions: 4000 });
    expect(found.arms.find(({ arm }) => arm === "on")?.z).toBeGreaterThan(5);
  });

  test("finds a lost exploration", () => {
    expect(run(3, 2000, ([off = 0, on = 0]) => [off, on, 0]).alarm).toBe(true);
  });

  test("alarms at once for an arm that could not be drawn", () => {
    const check = createPropensityCheck(ARMS);
    check.add("gold", { off: 0.5, on: 0.5 });
    expect(check.result()).toMatchObject({ alarm: true, impossible: 1 });
  });

  test("learns nothing from decisions that were certain", () => {
    const check = createPropensityCheck(ARMS);
    for (let i = 0; i < 100; i++) check.add("on", { on: 1 });
    expect(check.result()).toMatchObject({ alarm: false });
    expect(check.result().highest_log_e).toBeCloseTo(0, 12);
  });
});
