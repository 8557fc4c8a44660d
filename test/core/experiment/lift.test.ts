import { describe, expect, test } from "vitest";
import { lift } from "../../../core/experiment/lift.ts";
import type { Sample } from "../../../core/experiment/sample.ts";
import vectors from "../../conformance/vectors/ttest.json" with { type: "json" };

describe("lift() against the t-test vectors", () => {
  test.each(vectors.vectors.map((vector) => [vector.id, vector] as const))("%s", (_, { input, expected }) => {
    const result = lift(input.control as Sample, input.treatment as Sample, {
      differenceType: input.differenceType as "relative" | "scaled",
      alternative: input.alternative as "two" | "greater",
      alpha: input.alpha,
      ...(input.totalUsers === undefined
        ? {}
        : { traffic: { users: input.totalUsers, days: input.phaseLengthDays, share: input.trafficPercentage } }),
    });
    // The vectors have one error for both reasons to give up.
    expect(result.error !== null).toBe(expected.error !== null);
    close(result.estimate, expected.estimate);
    close(result.stderr, expected.stderr);
    close(result.pValue, expected.pValue);
    close(result.ci[0], Number(expected.ci[0]));
    close(result.ci[1], Number(expected.ci[1]));
  });
});

describe("lift()", () => {
  const control: Sample = { type: "proportion", n: 1000, sum: 100 };
  const treatment: Sample = { type: "proportion", n: 1200, sum: 150 };

  test("absolute lift of rates is their difference with the textbook standard error", () => {
    const result = lift(control, treatment, { differenceType: "absolute" });
    expect(result.estimate).toBeCloseTo(0.025, 12);
    expect(result.stderr).toBeCloseTo(Math.sqrt((0.1 * 0.9) / 1000 + (0.125 * 0.875) / 1200), 12);
  });

  test("the one-sided questions mirror each other", () => {
    const greater = lift(control, treatment, { differenceType: "absolute", alternative: "greater" });
    const lesser = lift(treatment, control, { differenceType: "absolute", alternative: "lesser" });
    expect(lesser.pValue).toBeCloseTo(greater.pValue, 12);
    expect(lesser.ci[1]).toBeCloseTo(-greater.ci[0], 12);
    expect(lesser.ci[0]).toBe(Number.NEGATIVE_INFINITY);
  });

  test("the p-value keeps its digits far out, where 1 - cdf would be 0", () => {
    const huge: Sample = { type: "proportion", n: 100_000, sum: 11_500 };
    const result = lift({ type: "proportion", n: 100_000, sum: 10_000 }, huge, { differenceType: "absolute" });
    expect(result.pValue).toBeGreaterThan(0);
    expect(result.pValue).toBeLessThan(1e-20);
  });

  test("a control of zero says so instead of dividing", () => {
    const zero: Sample = { type: "mean", n: 40, sum: 0, sumSquares: 40 };
    const other: Sample = { type: "mean", n: 50, sum: 100, sumSquares: 400 };
    expect(lift(zero, other, { differenceType: "relative" }).error).toBe("zero_baseline");
    expect(lift(zero, other, { differenceType: "absolute" }).error).toBeNull();
  });

  test("a past that does not vary explains nothing and changes nothing", () => {
    const post: Sample = { type: "mean", n: 4, sum: 10, sumSquares: 30 };
    const constant: Sample = { type: "mean", n: 4, sum: 8, sumSquares: 16 };
    const cuped: Sample = { type: "cuped", n: 4, post, pre: constant, postPreSumOfProducts: 20 };
    const options = { differenceType: "absolute" } as const;
    expect(lift(cuped, cuped, options)).toEqual(lift(post, post, options));
  });

  test("what cannot be compared or scaled is refused", () => {
    const mean: Sample = { type: "mean", n: 4, sum: 10, sumSquares: 30 };
    const ratio: Sample = { type: "ratio", n: 4, numerator: mean, denominator: mean, sumOfProducts: 25 };
    expect(() => lift(mean, ratio, { differenceType: "absolute" })).toThrow("same kind");
    expect(() => lift(control, treatment, { differenceType: "scaled" })).toThrow("without traffic");
    const scaled = { differenceType: "scaled", traffic: { users: 8, days: 1, share: 1 } } as const;
    expect(() => lift({ ...ratio, sumOfProducts: 20 }, { ...ratio, sumOfProducts: 20 }, scaled)).toThrow("ratio");
  });
});

function close(found: number, expected: number): void {
  if (!Number.isFinite(expected)) expect(found).toBe(expected);
  else {
    const { rel, abs } = vectors.tolerance;
    expect(Math.abs(found - expected), `${found} is not ${expected}`).toBeLessThanOrEqual(
      Math.max(abs, rel * Math.abs(expected)),
    );
  }
}
