import { describe, expect, test } from "vitest";
import type { Sample } from "../../../core/experiment/sample.ts";
import { gaussianPosteriors } from "../../../core/policy/gaussian-posterior.ts";
import { thompsonWeights } from "../../../core/policy/thompson-weights.ts";
import { close, vectors } from "../model/vectors.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly stats: readonly Sample[];
    readonly topTwo: boolean;
    readonly inverse: boolean;
    readonly minVariationWeight: number;
    readonly prior: { readonly proper: boolean };
  };
  readonly expected: {
    readonly posteriorMean: readonly number[];
    readonly posteriorVariance: readonly number[];
    readonly ci: readonly (readonly [number, number])[];
    readonly bestArmProbabilityExact: readonly number[];
    readonly bestArmProbabilityMonteCarlo1e4: readonly number[];
    readonly weightsMonteCarlo1e4: readonly number[];
    readonly enoughUnits: boolean;
  };
}

const EXACT = { rel: 1e-8, abs: 1e-10 };

describe("thompsonWeights()", () => {
  test.each(vectors<Case>("bandit_weights"))("agrees with gbstats on $id", ({ input, expected }) => {
    expect(input).toMatchObject({ topTwo: false, inverse: false, prior: { proper: false } });
    const { posteriors, best, weights, enough } = thompsonWeights(input.stats, { minimum: input.minVariationWeight });
    const holds = (actual: number | undefined, wanted: number | undefined, tolerance: object) =>
      close(actual as number, wanted as number, tolerance);
    posteriors.forEach(({ mean, variance, ci }, i) => {
      expect(holds(mean, expected.posteriorMean[i], EXACT), `mean ${i}`).toBe(true);
      expect(holds(variance, expected.posteriorVariance[i], EXACT), `variance ${i}`).toBe(true);
      expect(holds(ci[0], expected.ci[i]?.[0], EXACT), `low ${i}`).toBe(true);
      expect(holds(ci[1], expected.ci[i]?.[1], EXACT), `high ${i}`).toBe(true);
      // The quadrature of the vectors is itself good to 2e-3 only.
      expect(holds(best[i], expected.bestArmProbabilityExact[i], { abs: 2e-3 }), `best ${i}`).toBe(true);
      expect(holds(best[i], expected.bestArmProbabilityMonteCarlo1e4[i], { abs: 0.03 }), `drawn ${i}`).toBe(true);
      expect(holds(weights[i], expected.weightsMonteCarlo1e4[i], { abs: 0.03 }), `weight ${i}`).toBe(true);
    });
    expect(enough).toBe(expected.enoughUnits);
  });

  test("is even while an arm has too few users", () => {
    const { weights, enough } = thompsonWeights([
      { type: "proportion", n: 5000, sum: 900 },
      { type: "proportion", n: 99, sum: 1 },
    ]);
    expect(enough).toBe(false);
    expect([...weights]).toEqual([0.5, 0.5]);
  });
});

describe("gaussianPosteriors()", () => {
  test("refuses samples of different kinds", () => {
    expect(() =>
      gaussianPosteriors([
        { type: "proportion", n: 10, sum: 5 },
        {
          type: "ratio",
          n: 10,
          numerator: { type: "proportion", n: 10, sum: 5 },
          denominator: { type: "proportion", n: 10, sum: 5 },
          sumOfProducts: 3,
        },
      ]),
    ).toThrow(TypeError);
  });
});
