import type { Sample } from "../experiment/sample.ts";
import { bestArmProbabilities } from "./best-arm.ts";
import { floored } from "./explore.ts";
import { gaussianPosteriors, type Posterior } from "./gaussian-posterior.ts";

export interface ThompsonWeights {
  readonly posteriors: readonly Posterior[];
  /** That the arm is the best, by arm. */
  readonly best: Float64Array;
  /** Shares of traffic, by arm: `best`, none below the minimum; even while an arm has too few users. */
  readonly weights: Float64Array;
  /** Every arm has 100 users, so that its variance says something. */
  readonly enough: boolean;
}

const ENOUGH = 100;

/**
 * Thompson sampling without context: each arm's share is its probability to have the greatest mean. Exact, nothing is drawn.
 * Where less is better, give samples of the negative. Vectors: bandit_weights.json (gbstats).
 *
 * @param options.minimum least share of an arm, 0..1/K. Default 0
 */
export function thompsonWeights(
  samples: readonly Sample[],
  options: { minimum?: number; prior?: { readonly mean: number; readonly variance: number } } = {},
): ThompsonWeights {
  const { minimum = 0, prior } = options;
  const count = samples.length;
  const posteriors = gaussianPosteriors(samples, prior);
  const best = bestArmProbabilities(
    posteriors.map(({ mean }) => mean),
    posteriors.map(({ variance }) => variance),
  );
  const enough = samples.every(({ n }) => n >= ENOUGH);
  const weights = enough ? floored(best.slice(), minimum * count) : new Float64Array(count).fill(1 / count);
  return { posteriors, best, weights, enough };
}
