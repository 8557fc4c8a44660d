/** Rows of standardised inputs, one after another in `x`: what every learner is fitted on. */
export interface Problem {
  readonly x: Float64Array;
  readonly columns: number;
  /** For each row 0 or 1, or an outcome between, as a share of its cap. */
  readonly y: Float64Array;
  /** Weight of each row. Default 1. */
  readonly weights?: Float64Array | undefined;
  /** What was served. Default: there is one arm. */
  readonly arms?: Arms | undefined;
}

export interface Arms {
  /** At least 2; arm 0 is the safe one. */
  readonly count: number;
  /** The arm of each row. */
  readonly index: Uint8Array;
  /** Columns of x whose effect may differ between arms, ascending. */
  readonly interactions: Uint16Array;
}

/** These rows of a problem. */
export function rowsOf(problem: Problem, rows: Uint32Array): Problem {
  const { x, columns, y, weights, arms } = problem;
  const picked = new Float64Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * columns;
    for (let j = 0; j < columns; j++) picked[i * columns + j] = x[from + j] as number;
  }
  return {
    x: picked,
    columns,
    y: Float64Array.from(rows, (row) => y[row] as number),
    weights: weights && Float64Array.from(rows, (row) => weights[row] as number),
    arms: arms && { ...arms, index: Uint8Array.from(rows, (row) => arms.index[row] as number) },
  };
}
