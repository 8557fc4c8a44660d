import cdf from "@stdlib/stats-base-dists-normal-cdf";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/model/random.ts";
import { bestArmProbabilities } from "../../../core/policy/best-arm.ts";

/** The integral by brute force: midpoints between many places around every arm. */
function bruteForce(means: readonly number[], variances: readonly number[]): readonly number[] {
  const sds = variances.map(Math.sqrt);
  const steps = 4 + Math.ceil(60 / means.length);
  const places = means
    .flatMap((mean, i) => Array.from({ length: 17 * steps }, (_, k) => mean + (k / steps - 8.5) * (sds[i] as number)))
    .sort((a, b) => a - b);
  const sums = means.map(() => 0);
  for (let k = 1; k < places.length; k++) {
    const width = (places[k] as number) - (places[k - 1] as number);
    const at = (places[k] as number) - width / 2;
    const z = means.map((mean, i) => (at - mean) / (sds[i] as number));
    const below = z.map((value) => cdf(value, 0, 1));
    const all = below.reduce((product, p) => product * p, width / Math.sqrt(2 * Math.PI));
    if (all === 0) continue;
    means.forEach((_, i) => {
      const density = Math.exp(-0.5 * (z[i] as number) ** 2) / (sds[i] as number);
      (sums[i] as number) += (all * density) / (below[i] as number);
    });
  }
  return sums;
}

describe("bestArmProbabilities()", () => {
  test.each([2, 3, 7, 20, 50])("agrees with brute force on %i arms, whatever their variances", (count) => {
    const random = seededRandom(count);
    for (const spread of [0, 2, 6])
      for (const apart of [0, 0.1, 2]) {
        const variances = Array.from({ length: count }, () => 10 ** (-spread * random()));
        const means = Array.from({ length: count }, () => apart * random());
        const wanted = bruteForce(means, variances);
        bestArmProbabilities(means, variances).forEach((p, i) => {
          expect(Math.abs(p - (wanted[i] as number)), `arm ${i}, 10^${spread}, ${apart}`).toBeLessThan(1e-4);
        });
      }
  });

  test("is the closed form for two arms", () => {
    for (const [difference, a, b] of [
      [0.01, 1e-4, 1e-4],
      [0.3, 1, 1e-6],
      [-2, 1e-6, 1],
      [1e-9, 1e-12, 1e-18],
    ] as const) {
      const [first] = bestArmProbabilities([5 + difference, 5], [a, b]);
      expect(first).toBeCloseTo(cdf((5 + difference - 5) / Math.sqrt(a + b), 0, 1), 5);
    }
  });

  test("is even among equal arms, also when they do not vary", () => {
    for (const variance of [1, 1e-12, 0])
      for (const p of bestArmProbabilities(Array(50).fill(0.5), Array(50).fill(variance)))
        expect(p).toBeCloseTo(0.02, 9);
    expect([...bestArmProbabilities([0.2, 0.1, 0.2], [0, 0, 0])].map((p) => Math.round(p * 1e9) / 1e9)).toEqual([
      0.5, 0, 0.5,
    ]);
  });

  test("is not moved by arms that are out of reach", () => {
    const [, a, b] = bestArmProbabilities([-1e9, 1e6, 1e6 + 1], [1, 1, 1]);
    expect(a).toBeCloseTo(cdf(-Math.SQRT1_2, 0, 1), 5);
    expect(b).toBeCloseTo(cdf(Math.SQRT1_2, 0, 1), 5);
    expect([...bestArmProbabilities([3], [1])]).toEqual([1]);
  });
});
