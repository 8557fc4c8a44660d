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
 * @param quantiles values at evenly spaced quantiles 0..1, ascending; 50 or more, as they stand for the reference
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
  const shares = new Array<number>(cuts.length + 1).fill(0);
  const last = quantiles.length - 1;
  // The outermost quantiles stand for half as much as the others.
  quantiles.forEach((value, i) => {
    const cell = cellOf(value);
    shares[cell] = (shares[cell] as number) + (i === 0 || i === last ? 0.5 : 1) / last;
  });
  return { shares, cellOf };
}
