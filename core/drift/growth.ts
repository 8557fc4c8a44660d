import { type Measure, sourceOf } from "../model/feature-row.ts";

/** What grows by itself while users stay: its shift away from the training data is certain, and only a matter of time. */
const GROWING: readonly Measure[] = ["count", "tenure_days", "span_days", "value_sum"];
/** As psi.ts: at most about 1 in a million sound samples is taken for another. */
const MISTAKES = 1e-6;

/** Whether a column of the feature row grows by itself. Rates, means and recencies of the same events do not. */
export function growsWithTime(column: string): boolean {
  const source = sourceOf(column);
  return source?.from === "profile" && GROWING.includes(source.measure);
}

/**
 * Whether users have but more than those of the reference had: at no bound are there more below it than chance makes of
 * samples of that size (one-sided Kolmogorov-Smirnov; Massart 1990).
 *
 * @param shares of the reference, by cell: ascending, and last those without a value, who count as having least
 * @param counts by cell
 * @param expectedRows those of the reference
 */
export function onlyGrew(shares: readonly number[], counts: readonly number[], expectedRows: number): boolean {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const bound = Math.sqrt((-Math.log(MISTAKES) / 2) * (1 / Math.max(1, rows) + 1 / Math.max(1, expectedRows)));
  let excess = 0;
  for (let i = 0; i < counts.length; i++) {
    const cell = (i + counts.length - 1) % counts.length;
    excess += (counts[cell] as number) / Math.max(1, rows) - (shares[cell] as number);
    if (excess > bound) return false;
  }
  return true;
}
