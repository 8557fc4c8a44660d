import { meanAndError } from "./calibration.ts";
import { logLossOf } from "./metrics.ts";
import type { Learner } from "./model.ts";

/** How a learner did on the validation slice. */
interface Measured {
  readonly learner: Learner;
  /** Of every row. */
  readonly probabilities: Float64Array;
  readonly metrics: { readonly log_loss: number };
}

export interface Chosen<Fitted> {
  readonly best: Fitted;
  /** In words, why it is not the one with the lowest log loss; empty when it is. */
  readonly reason: string;
}

/**
 * The learner with the lowest log loss on the validation slice, unless a simpler one is worse by no more than one standard error
 * of the difference, row by row: then that one, which is surer of what it says of few rows (the one-standard-error rule of
 * Breiman et al., Classification and Regression Trees, 1984).
 *
 * @param fitted the simplest first, at least one
 * @param labels outcomes of the validation slice, 0..1
 */
export function chooseLearner<Fitted extends Measured>(
  fitted: readonly [Fitted, ...Fitted[]],
  labels: ArrayLike<number>,
): Chosen<Fitted> {
  const lowest = fitted.reduce((best, one) => (one.metrics.log_loss < best.metrics.log_loss ? one : best));
  const lossesOf = ({ probabilities }: Measured) =>
    Array.from(probabilities, (probability, row) => logLossOf(labels[row] as number, probability));
  const losses = lossesOf(lowest);
  for (const one of fitted) {
    if (one === lowest) break;
    const { mean, se } = meanAndError(lossesOf(one).map((loss, row) => loss - (losses[row] as number)));
    if (mean <= se) return { best: one, reason: tellTie(one, lowest) };
  }
  return { best: lowest, reason: "" };
}

function tellTie(kept: Measured, lowest: Measured): string {
  const found = lowest.metrics.log_loss.toFixed(3);
  return ` Kept ${kept.learner}, the simpler learner: the ${found} of ${lowest.learner} is within one standard error of it.`;
}
