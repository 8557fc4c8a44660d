import { describe, expect, test } from "vitest";
import { chooseLearner } from "../../../core/model/choose-learner.ts";
import { logLossOf } from "../../../core/model/metrics.ts";
import type { Learner } from "../../../core/model/model.ts";

/** Half of the rows are 1. */
const labels = (rows: number) => Float64Array.from({ length: rows }, (_, row) => row % 2);

function measured(learner: Learner, ys: Float64Array, right: (row: number) => number) {
  const probabilities = ys.map((y, row) => (y === 1 ? right(row) : 1 - right(row)));
  const log_loss = ys.reduce((sum, y, row) => sum + logLossOf(y, probabilities[row] as number), 0) / ys.length;
  return { learner, probabilities, metrics: { log_loss } };
}

describe("chooseLearner()", () => {
  // Worse by 0.01 a row on average, which a few rows do not show and many do.
  const loser = (row: number) => (row % 3 === 0 ? 0.8 : 0.55);
  const winner = (row: number) => (row % 3 === 0 ? 0.6 : 0.64);

  test("keeps the simpler learner while the difference may be chance, and says so", () => {
    const ys = labels(30);
    const [logistic, trees] = [measured("logistic", ys, loser), measured("trees", ys, winner)];
    expect(trees.metrics.log_loss).toBeLessThan(logistic.metrics.log_loss);
    const { best, reason } = chooseLearner([logistic, trees], ys);
    expect(best).toBe(logistic);
    expect(reason).toBe(
      ` Kept logistic, the simpler learner: the ${trees.metrics.log_loss.toFixed(3)} of trees is within one standard error of it.`,
    );
  });

  test("keeps the better one when there are rows enough to tell", () => {
    const ys = labels(30_000);
    const [logistic, trees] = [measured("logistic", ys, loser), measured("trees", ys, winner)];
    expect(chooseLearner([logistic, trees], ys)).toEqual({ best: trees, reason: "" });
  });

  test("keeps the simplest of those that are as good, and the lowest says nothing more", () => {
    const ys = labels(30);
    const [logistic, trees, svm] = (["logistic", "trees", "svm"] as const).map((learner) =>
      measured(learner, ys, () => 0.6),
    );
    if (logistic === undefined || trees === undefined || svm === undefined) throw new Error("Three were made");
    expect(chooseLearner([logistic, trees, svm], ys)).toEqual({ best: logistic, reason: "" });
    expect(chooseLearner([svm], ys).best).toBe(svm);
  });
});
