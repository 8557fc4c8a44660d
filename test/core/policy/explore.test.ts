import { describe, expect, test } from "vitest";
import { epsilonGreedy, floored, softmax, squareCb } from "../../../core/policy/explore.ts";
import { close, vectors } from "../model/vectors.ts";

interface Case {
  readonly id: string;
  readonly input: { scores: number[]; gamma: number; epsilon: number; floor: number; temperature: number };
  readonly expected: Readonly<Record<"squareCb" | "epsilonGreedy" | "squareCbFloored" | "softmax", readonly number[]>>;
}

const TOLERANCE = { rel: 1e-10, abs: 1e-12 };

test.each(vectors<Case>("exploration_pmf"))("the policies agree with the formulas on $id", ({ input, expected }) => {
  const { scores, gamma, epsilon, floor, temperature } = input;
  const found = {
    squareCb: squareCb(scores, gamma),
    epsilonGreedy: epsilonGreedy(scores, epsilon),
    squareCbFloored: floored(squareCb(scores, gamma), floor),
    softmax: softmax(scores, temperature),
  };
  for (const name of Object.keys(found) as (keyof typeof found)[])
    expected[name].forEach((wanted, arm) => {
      expect(close(found[name][arm] as number, wanted, TOLERANCE), `${name} of arm ${arm}`).toBe(true);
    });
});

describe("squareCb()", () => {
  test("is even without knowledge and among equals, and greedy with much of it", () => {
    expect([...squareCb([0.1, 0.9], 0)]).toEqual([0.5, 0.5]);
    for (const p of squareCb([0.3, 0.3, 0.3], 1e6)) expect(p).toBeCloseTo(1 / 3, 12);
    expect(squareCb([0.1, 0.9, 0.2], 1e6)[1]).toBeGreaterThan(0.99999);
  });

  test("sums to 1 and never gives a better arm less", () => {
    const pmf = squareCb([0.2, 0.5, 0.4, 0.1], 30);
    expect(pmf.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(pmf[1]).toBeGreaterThan(pmf[2] as number);
    expect(pmf[2]).toBeGreaterThan(pmf[0] as number);
    expect(pmf[0]).toBeGreaterThan(pmf[3] as number);
  });
});

test("the policies write to what they are given", () => {
  const out = new Float64Array(2);
  for (const pmf of [squareCb([0, 1], 5, out), epsilonGreedy([0, 1], 0.2, out), softmax([0, 1], 1, out)])
    expect(pmf).toBe(out);
});
