import { describe, expect, test } from "vitest";
import { compareWithHoldout } from "../../../core/experiment/compare-with-holdout.ts";
import type { GroupOutcome } from "../../../core/experiment/holdout-counts.ts";
import { completeObjective } from "../../../core/feature/objective.ts";
import { seededRandom } from "../../../core/model/random.ts";

const objective = (write: object = {}) =>
  completeObjective({ objective: { holdout: 0.1, ...write }, off_variant: "off" });

describe("compareWithHoldout()", () => {
  test("is wrong about groups that do not differ in about one case of twenty, and finds a real effect", () => {
    const random = seededRandom(3);
    const verdicts = (rate: { model: number; holdout: number }, times: number) => {
      const counts = new Map<string, number>();
      for (let i = 0; i < times; i++) {
        const model = drawn(1800, rate.model, random);
        const holdout = drawn(200, rate.holdout, random);
        const { verdict } = compareWithHoldout(counted(model, holdout), objective());
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      }
      return counts;
    };
    const same = verdicts({ model: 0.2, holdout: 0.2 }, 1000);
    // 95 of 100 within three standard errors of the simulation.
    expect(Math.abs((same.get("no_evidence") ?? 0) - 950)).toBeLessThan(3 * Math.sqrt(1000 * 0.95 * 0.05) + 10);
    const better = verdicts({ model: 0.4, holdout: 0.2 }, 200);
    expect(better.get("lifts")).toBeGreaterThan(195);
    expect(better.get("worse")).toBeUndefined();
  });

  test("says how many users would tell: with as many the interval is that much narrower", () => {
    const { message } = compareWithHoldout(counted(yes(1800, 0.22), yes(200, 0.2)), objective());
    const more = Number(/about ([\d,]+) more users/.exec(message)?.[1]?.replaceAll(",", ""));
    const holdout = 200 + more;
    const then = compareWithHoldout(counted(yes(9 * holdout, 0.22), yes(holdout, 0.2)), objective());
    const error = ((then.interval?.[1] ?? 0) - (then.interval?.[0] ?? 0)) / 2 / 1.96;
    expect((then.absolute_lift ?? 0) / error).toBeGreaterThan(2.75);
    expect((then.absolute_lift ?? 0) / error).toBeLessThan(2.95);
  });

  test("does not call groups of nobody as large as they should be", () => {
    const { sample_ratio } = compareWithHoldout(counted(yes(0, 0), yes(0, 0)), objective());
    expect(sample_ratio).toMatchObject({ ok: true, message: "Nobody counts yet: there are no groups to compare." });
  });

  test("says nothing of few users or few outcomes, however far apart they are", () => {
    for (const [model, holdout] of [
      [yes(90, 0.9), yes(10, 0.1)],
      [yes(9000, 0.003), yes(1000, 0)],
    ] as const)
      expect(compareWithHoldout(counted(model, holdout), objective())).toMatchObject({ verdict: "no_evidence" });
  });

  test("turns the judgement with the direction, not the numbers", () => {
    const counts = counted(yes(9000, 0.1), yes(1000, 0.2));
    expect(compareWithHoldout(counts, objective())).toMatchObject({ verdict: "worse" });
    const falling = compareWithHoldout(counts, objective({ direction: "decrease" }));
    expect(falling).toMatchObject({ verdict: "lifts" });
    expect(falling.absolute_lift).toBeCloseTo(-0.1, 12);
    expect(falling.relative_lift).toBeCloseTo(-0.5, 12);
  });

  test("judges a guardrail by the whole interval against its margin", () => {
    const guardrails = [{ event_types: ["error"], margin: 0.2 }];
    const judge = (before: GroupOutcome, after: GroupOutcome) =>
      compareWithHoldout(
        { ...counted(yes(9000, 0.5), yes(1000, 0.5)), guardrails: [{ holdout: before, model: after }] },
        objective({ guardrails }),
      ).guardrails[0]?.verdict;
    expect(judge(yes(1000, 0.1), yes(9000, 0.2))).toBe("harm");
    expect(judge(yes(1000, 0.1), yes(9000, 0.13))).toBe("unclear");
    expect(judge(yes(100_000, 0.1), yes(900_000, 0.11))).toBe("ok");
    expect(judge(yes(1000, 0), yes(9000, 0.2))).toBe("unclear");
  });

  test("needs groups that differ in something: all alike has no interval", () => {
    const numeric = objective({ value: { property: "amount", cap: 10 } });
    const same = (users: number): GroupOutcome => ({ users, reached: users, sum: 3 * users, squares: 9 * users });
    expect(compareWithHoldout(counted(same(900), same(100)), numeric)).toMatchObject({
      verdict: "no_evidence",
      absolute_lift: 0,
      interval: null,
      p_value: null,
    });
  });
});

function counted(model: GroupOutcome, holdout: GroupOutcome) {
  return { objective: { model, holdout }, guardrails: [], immature_users: 0 };
}

function yes(users: number, rate: number): GroupOutcome {
  const sum = Math.round(users * rate);
  return { users, reached: sum, sum, squares: sum };
}

function drawn(users: number, rate: number, random: () => number): GroupOutcome {
  let sum = 0;
  for (let i = 0; i < users; i++) if (random() < rate) sum++;
  return { users, reached: sum, sum, squares: sum };
}
