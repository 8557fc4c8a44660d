import { describe, expect, test } from "vitest";
import { sampleRatioPValue } from "../../../core/experiment/sample-ratio.ts";
import vectors from "../../conformance/vectors/srm.json" with { type: "json" };

describe("sampleRatioPValue() against the vectors", () => {
  test.each(vectors.vectors.map((vector) => [vector.id, vector] as const))("%s", (_, { input, expected }) => {
    const found = sampleRatioPValue(input.users, input.weights);
    const { rel, abs } = vectors.tolerance;
    expect(Math.abs(found - expected.pValue), `${found} is not ${expected.pValue}`).toBeLessThanOrEqual(
      Math.max(abs, rel * expected.pValue),
    );
  });
});

describe("sampleRatioPValue()", () => {
  test("keeps its digits where 1 - cdf would be 0", () => {
    const found = sampleRatioPValue([10_000, 12_000], [50, 50]);
    expect(found).toBeGreaterThan(1e-45);
    expect(found).toBeLessThan(1e-38);
  });

  test("does not depend on the scale of the weights", () => {
    expect(sampleRatioPValue([900, 1100], [50, 50])).toBeCloseTo(sampleRatioPValue([900, 1100], [0.5, 0.5]), 14);
  });
});
