/** Cells of a column, and what share of the reference fell into each. */
export interface Bins<Value> {
  /** Of the reference, one a cell; they sum to 1. */
  readonly shares: readonly number[];
  /** Which cell a value falls into. */
  cellOf(value: Value): number;
}

const CELLS = 10;

/**
 * Cells of a tenth of the reference each. A value that is so frequent that several tenths meet in it is a cell of its own, so
 * that neither a shift away from it is lost nor one made up.
 *
 * @param quantiles values at evenly spaced quantiles 0..1, ascending; 100 or so, as they stand for the reference
 */
export function quantileBins(quantiles: readonly number[]): Bins<number> {
  const at = (share: number) => quantiles[Math.round(share * (quantiles.length - 1))] as number;
  // A number that is there once cuts before itself; one that is there twice cuts before and after itself.
  const cuts: number[] = [];
  for (let i = 1; i < CELLS; i++) {
    const cut = at(i / CELLS);
    if (cut !== cuts.at(-1) || cut !== cuts.at(-2)) cuts.push(cut);
  }
  const cellOf = (value: number) => {
    let cell = 0;
    while (cell < cuts.length) {
      const cut = cuts[cell] as number;
      if (cut === cuts[cell - 1] ? value <= cut : value < cut) break;
      cell++;
    }
    return cell;
  };
  const isFrequent = (value: number) => cuts.indexOf(value) !== cuts.lastIndexOf(value);
  const shares = new Array<number>(cuts.length + 1).fill(0);
  const last = quantiles.length - 1;
  const put = (value: number, share: number) => {
    const cell = cellOf(value);
    shares[cell] = (shares[cell] as number) + share;
  };
  for (let i = 0; i < last; i++) {
    const [low, high] = [quantiles[i] as number, quantiles[i + 1] as number];
    // Between two neighbours lies an equal part of the reference; next to a frequent value, half of that is the value itself.
    if (isFrequent(low) || isFrequent(high)) {
      put(low, 0.5 / last);
      put(high, 0.5 / last);
    } else put((low + high) / 2, 1 / last);
  }
  return { shares, cellOf };
}
