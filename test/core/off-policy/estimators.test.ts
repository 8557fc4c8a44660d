import { describe, expect, test } from "vitest";
import { estimate, meanByUnit } from "../../../core/off-policy/estimators.ts";
import { close, vectors } from "../model/vectors.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly actions: number[];
    readonly rewards: number[];
    readonly propensities: number[];
    readonly targetProbs: number[][];
    readonly qHat: number[][];
  };
  readonly expected: Readonly<Record<string, number>>;
}

const cases = vectors<Case>("ope");

describe("estimate()", () => {
  test.each(cases)("agrees with obp on $id", ({ input, expected }) => {
    const found = estimate(...argumentsOf(input));
    const answers: Record<string, number> = {
      ips: found.ips,
      ipsClip3: found.clipped_ips,
      snips: found.snips,
      dm: found.dm,
      dr: found.dr,
      sndr: found.sndr,
      switchDr1: found.switch_dr,
      drOs10: found.dr_os,
      ess: found.ess,
      maxWeight: found.max_weight,
      ipsStdErr: found.ips_error,
    };
    for (const [name, value] of Object.entries(expected))
      expect(close(answers[name] as number, value, { rel: 1e-9, abs: 1e-12 }), `${name}: ${answers[name]}`).toBe(true);
  });

  test("counts the rows of one unit as one observation", () => {
    const [{ input }] = cases as [Case];
    const [log, policy, q] = argumentsOf(input);
    const once = estimate(log, policy, q);
    // Every row twice, each pair a unit: nothing more is known than before.
    const twice = <T extends Float64Array | Uint16Array | Uint32Array>(values: T, k: number, into: T): T => {
      for (let row = 0; row < log.rows; row++)
        for (const copy of [0, 1])
          into.set(values.subarray(row * k, (row + 1) * k) as typeof values, (2 * row + copy) * k);
      return into;
    };
    const k = log.arms.length;
    const doubled = estimate(
      {
        arms: log.arms,
        rows: 2 * log.rows,
        units: twice(log.units, 1, new Uint32Array(2 * log.rows)),
        actions: twice(log.actions, 1, new Uint16Array(2 * log.rows)),
        propensities: twice(log.propensities, 1, new Float64Array(2 * log.rows)),
        rewards: twice(log.rewards, 1, new Float64Array(2 * log.rows)),
      },
      twice(policy, k, new Float64Array(2 * policy.length)),
      twice(q, k, new Float64Array(2 * q.length)),
    );
    for (const name of ["ips", "ips_error", "snips_error", "dr_error", "ess", "mean_weight_error"] as const)
      expect(doubled[name], name).toBeCloseTo(once[name], 9);
  });

  test("knows the standard error of SNIPS", () => {
    // Weights of 1: SNIPS is the mean, and its error the mean's with the population's spread.
    const found = estimate(
      {
        arms: ["a"],
        rows: 4,
        units: Uint32Array.of(0, 1, 2, 3),
        actions: new Uint16Array(4),
        propensities: new Float64Array(4).fill(1),
        rewards: Float64Array.of(0, 0, 1, 1),
      },
      new Float64Array(4).fill(1),
      new Float64Array(4),
    );
    expect(found.snips).toBe(0.5);
    expect(found.snips_error).toBeCloseTo(Math.sqrt(1 / 3 / 4), 12);
    expect(found.mean_weight_error).toBe(0);
  });
});

describe("meanByUnit()", () => {
  test("has no error to offer for a single unit", () => {
    expect(meanByUnit(Float64Array.of(1, 0), Uint32Array.of(0, 0))).toEqual({ mean: 0.5, error: Infinity });
  });
});

function argumentsOf({ actions, rewards, propensities, targetProbs, qHat }: Case["input"]) {
  const log = {
    arms: (targetProbs[0] as number[]).map((_, arm) => `arm ${arm}`),
    rows: actions.length,
    units: Uint32Array.from(actions, (_, row) => row),
    actions: Uint16Array.from(actions),
    propensities: Float64Array.from(propensities),
    rewards: Float64Array.from(rewards),
  };
  return [log, Float64Array.from(targetProbs.flat()), Float64Array.from(qHat.flat())] as const;
}
