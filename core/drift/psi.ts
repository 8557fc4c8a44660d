/** Added to every count, so that an empty cell is no infinity. */
const SMOOTHING = 0.5;
/** Standard errors of what chance alone makes of an index: about 1 in a million, as many columns are looked at every hour. */
const ERRORS = 4.75;

/**
 * Population stability index: sum (q - p) ln(q / p) over the cells, with p and q the smoothed shares of the expected and the
 * actual counts. Below 0.1 stable, up to 0.25 to be watched, above it drifted. Counts may be shares times any total.
 */
export function psi(expected: readonly number[], actual: readonly number[]): number {
  const p = shares(expected);
  const q = shares(actual);
  return q.reduce((sum, share, cell) => {
    const before = p[cell] as number;
    return sum + (share - before) * Math.log(share / before);
  }, 0);
}

/**
 * What the index of two samples of one distribution stays below: it is then about chi-square over cells - 1 degrees of freedom
 * times (1/n + 1/m), taken by Wilson and Hilferty's approximation. An index below it says nothing, however large.
 *
 * @param rows actual rows; `expectedRows` those of the reference, Infinity when it is known exactly
 */
export function chanceOfPsi(cells: number, rows: number, expectedRows: number): number {
  const freedom = Math.max(1, cells - 1);
  const spread = 2 / (9 * freedom);
  const quantile = freedom * (1 - spread + ERRORS * Math.sqrt(spread)) ** 3;
  return quantile * (1 / Math.max(1, rows) + 1 / Math.max(1, expectedRows));
}

function shares(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0) + SMOOTHING * counts.length;
  return counts.map((count) => (count + SMOOTHING) / total);
}
