import cdf from "@stdlib/stats-base-dists-normal-cdf";
import { describe, expect, test } from "vitest";
import { confidenceOf } from "../../../core/model/confidence.ts";

describe("confidenceOf()", () => {
  test("is the normal probability of the side of the threshold, on both sides", () => {
    for (let z = 0; z < 9; z += 0.0137)
      for (const side of [-1, 1])
        expect(Math.abs(confidenceOf(1 + side * z * 0.3, 0.3, 1) - cdf(z, 0, 1))).toBeLessThan(2e-7);
  });

  test("is certain without an error, or of a threshold nobody reaches, and undecided on the threshold", () => {
    expect(confidenceOf(1, 0, 0.5)).toBe(1);
    expect(confidenceOf(1, 3, Number.POSITIVE_INFINITY)).toBe(1);
    expect(confidenceOf(1, 0, 1)).toBe(0.5);
  });
});
