/** What a model's probabilities look like beside what came of them: what its charts are drawn from. */
export type HeldOutReport = {
  /** Tenths of the rows by rising probability, in each the means; fewer tenths where many rows share a probability. */
  readonly calibration_curve: readonly { readonly rows: number; readonly stated: number; readonly observed: number }[];
  /** Probabilities at 51 evenly spaced quantiles 0..1 of the rows. */
  readonly probability_quantiles: readonly number[];
};

const TENTHS = 10;
const QUANTILES = 50;

/** @param outcomes 0 or 1, or between; `probabilities` 0..1: of the same rows, at least one, not trained on */
export function heldOutReport(outcomes: Float64Array, probabilities: Float64Array): HeldOutReport {
  const order = Uint32Array.from(outcomes, (_, i) => i).sort(
    (a, b) => (probabilities[a] as number) - (probabilities[b] as number) || a - b,
  );
  const at = (place: number) => probabilities[order[place] as number] as number;
  const last = order.length - 1;
  return {
    calibration_curve: tenths(order, outcomes, probabilities),
    probability_quantiles: Array.from({ length: QUANTILES + 1 }, (_, i) =>
      rounded(at(Math.round((i / QUANTILES) * last))),
    ),
  };
}

/** Rows of one probability stay together: whichever came first would decide otherwise. */
function tenths(order: Uint32Array, outcomes: Float64Array, probabilities: Float64Array) {
  const found: { rows: number; stated: number; observed: number }[] = [];
  for (let tenth = 1, start = 0; tenth <= TENTHS; tenth++) {
    let end = Math.round((tenth / TENTHS) * order.length);
    while (
      end > start &&
      end < order.length &&
      probabilities[order[end] as number] === probabilities[order[end - 1] as number]
    )
      end++;
    if (end <= start) continue;
    const rows = order.subarray(start, end);
    const mean = (of: Float64Array) => rounded(rows.reduce((sum, row) => sum + (of[row] as number), 0) / rows.length);
    found.push({ rows: rows.length, stated: mean(probabilities), observed: mean(outcomes) });
    start = end;
  }
  return found;
}

/** Six digits are more than a chart shows, and half the JSON. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
