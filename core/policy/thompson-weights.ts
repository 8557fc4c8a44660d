import type { Sample } from "../experiment/sample.ts";
import { bestArmProbabilities } from "./best-arm.ts";
import { floored } from "./explore.ts";
import { gaussianPosteriors, type Posterior } from "./gaussian-posterior.ts";

interface ThompsonWeights {
  readonly posteriors: readonly Posterior[];
  /** That the arm is the best, by arm; even while an arm has too few users. */
  readonly best: Float64Array;
  /** Shares of traffic, by arm: `best`, none below the minimum. */
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
  { minimum = 0 }: { minimum?: number } = {},
): ThompsonWeights {
  const count = samples.length;
  const posteriors = gaussianPosteriors(samples);
  const enough = samples.every(({ n }) => n >= ENOUGH);
  const even = new Float64Array(count).fill(1 / count);
  if (!enough) return { posteriors, best: even, weights: even, enough };
  const best = bestArmProbabilities(
    posteriors.map(({ mean }) => mean),
    posteriors.map(({ variance }) => variance),
  );
  return { posteriors, best, weights: floored(best.slice(), minimum * count), enough };
}
