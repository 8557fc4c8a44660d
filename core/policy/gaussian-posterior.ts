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
 * Of each arm, from its sample by the central limit theorem and, when it is given, a Gaussian prior. Adjusted metrics
 * (CUPED) are told at the level of what was measured of all arms together. Without a prior, an arm that does not vary is
 * certain. Vectors: bandit_weights.json. Throws a TypeError when the samples are not of one type.
 */
export function gaussianPosteriors(
  samples: readonly Sample[],
  prior?: { readonly mean: number; readonly variance: number },
): readonly Posterior[] {
  const arms = estimateAll(samples);
  const users = arms.reduce((sum, { n }) => sum + n, 0);
  const level = users === 0 ? 0 : arms.reduce((sum, { n, raw, value }) => sum + n * (raw - value), 0) / users;
  return arms.map(({ n, value, gradient, covariance }) => {
    const error = n === 0 ? Number.POSITIVE_INFINITY : quadraticForm(gradient, covariance) / n;
    const known = combine(value + level, error, prior);
    const width = Z * Math.sqrt(known.variance);
    return { ...known, ci: [known.mean - width, known.mean + width] };
  });
}

/** Two Gaussians of one mean, weighted by their precisions. */
function combine(
  mean: number,
  variance: number,
  prior: { readonly mean: number; readonly variance: number } | undefined,
) {
  if (prior === undefined || variance === 0) return { mean, variance };
  const share = prior.variance / (prior.variance + variance);
  return { mean: share * mean + (1 - share) * prior.mean, variance: 1 / (1 / prior.variance + 1 / variance) };
}
