import type { Evidence } from "./evidence.ts";

/** A unit's rows are all in one fold. */
const FOLDS = 5;

/**
 * The simplest q: each arm's mean reward over the other folds' units, so that no row is judged by its own outcome. An arm
 * nobody else was served has the mean of all others' rewards.
 *
 * @param rewards the evidence's own, or one of its guardrails
 * @returns rows x arms
 */
export function armMeans({ arms, rows, units, actions }: Evidence, rewards: Float64Array): Float64Array {
  const k = arms.length;
  // The last column is of variants that no longer exist: only the overall mean uses them.
  const counts = new Float64Array(FOLDS * (k + 1));
  const totals = new Float64Array(FOLDS * (k + 1));
  for (let row = 0; row < rows; row++) {
    const cell = ((units[row] as number) % FOLDS) * (k + 1) + (actions[row] as number);
    counts[cell] = (counts[cell] as number) + 1;
    totals[cell] = (totals[cell] as number) + (rewards[row] as number);
  }
  const means = new Float64Array(FOLDS * k);
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = { counts: new Float64Array(k + 1), totals: new Float64Array(k + 1) };
    for (let cell = 0; cell < counts.length; cell++) {
      if (Math.floor(cell / (k + 1)) === fold) continue;
      const arm = cell % (k + 1);
      others.counts[arm] = (others.counts[arm] as number) + (counts[cell] as number);
      others.totals[arm] = (others.totals[arm] as number) + (totals[cell] as number);
    }
    const overall = share(sum(others.totals), sum(others.counts), 0);
    for (let arm = 0; arm < k; arm++)
      means[fold * k + arm] = share(others.totals[arm] as number, others.counts[arm] as number, overall);
  }
  const q = new Float64Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const fold = (units[row] as number) % FOLDS;
    q.set(means.subarray(fold * k, (fold + 1) * k), row * k);
  }
  return q;
}

function share(total: number, count: number, otherwise: number): number {
  return count === 0 ? otherwise : total / count;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
