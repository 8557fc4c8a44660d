import { estimateAll, quadraticForm } from "../experiment/estimate.ts";
import type { Sample } from "../experiment/sample.ts";

/** What is known of an arm's mean: a Gaussian. */
export interface Posterior {
  readonly mean: number;
  readonly variance: number;
  /** Holds the mean with probability 0.95. */
  readonly ci: readonly [low: number, high: number];
}

/** Quantile of the standard normal distribution at 0.975. */
const Z = 1.959963984540054;

/**
 * Of each arm, from its sample alone, by the central limit theorem. Adjusted metrics (CUPED) are told at the level of what was
 * measured of all arms together. Vectors: bandit_weights.json. Throws a TypeError when the samples are not of one type.
 */
export function gaussianPosteriors(samples: readonly Sample[]): readonly Posterior[] {
  const arms = estimateAll(samples);
  const users = arms.reduce((sum, { n }) => sum + n, 0);
  const level = users === 0 ? 0 : arms.reduce((sum, { n, raw, value }) => sum + n * (raw - value), 0) / users;
  return arms.map(({ n, value, gradient, covariance }) => {
    const mean = value + level;
    const variance = n === 0 ? Number.POSITIVE_INFINITY : quadraticForm(gradient, covariance) / n;
    const width = Z * Math.sqrt(variance);
    return { mean, variance, ci: [mean - width, mean + width] };
  });
}
