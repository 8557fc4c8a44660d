import gammaincomplete from "@stdlib/math-base-special-gammainc";
import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import tCdf from "@stdlib/stats-base-dists-t-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { describe, expect, test } from "vitest";
import vectors from "../../conformance/vectors/distributions.json" with { type: "json" };

/** The functions the house relies on, called as it calls them (docs/decisions/0063-tails-of-distributions.md). */
const functions: Readonly<Record<string, (x: number, freedom: number) => number>> = {
  tCdf,
  tSf: (x, freedom) => tCdf(-x, freedom),
  tQuantile,
  normalCdf: (x) => normalCdf(x, 0, 1),
  chi2Sf: (x, freedom) => gammaincomplete(x / 2, freedom / 2, true, true),
};

const ours = vectors.vectors.filter((vector) => vector.fn in functions);

describe("distribution functions against scipy", () => {
  test("the vectors cover each of them", () => {
    expect(new Set(ours.map(({ fn }) => fn))).toEqual(new Set(Object.keys(functions)));
  });

  test.each(ours.map((vector) => [vector.id, vector] as const))("%s", (_, { fn, args, expected }) => {
    const [x = Number.NaN, freedom = Number.NaN] = args;
    const found = functions[fn]?.(x, freedom) ?? Number.NaN;
    const { rel, abs } = vectors.tolerance;
    expect(Math.abs(found - expected), `${found} is not ${expected}`).toBeLessThanOrEqual(
      Math.max(abs, rel * Math.abs(expected)),
    );
  });
});
