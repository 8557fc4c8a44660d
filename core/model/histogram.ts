import type { Bins } from "./bin-columns.ts";

/** Two numbers a row, and so a bin: weight times the first and times the second derivative of the loss by the log odds. */
export const SUMS = 2;

/** The sums of a leaf's rows by bin, column after column, the arm's last. */
export type Histogram = Float64Array<ArrayBuffer>;

/** Where the bins of a histogram are. */
export interface Layout {
  readonly widths: readonly number[];
  /** First bin of each column. */
  readonly starts: readonly number[];
  /** Columns' codes, and then empty columns up to a multiple of AT_ONCE; those have a bin each, which nobody reads. */
  readonly codes: readonly Uint8Array[];
  /** Numbers in a histogram. */
  readonly size: number;
  /** The derivatives of the leaf being summed up, in the order of its rows, so that every column reads them forwards. */
  readonly local: Float64Array;
}

/** Columns summed up in one pass over the rows: more than twice as fast as one by one. */
const AT_ONCE = 4;

export function layoutOf({ rows, codes, cuts, arms }: Bins): Layout {
  const widths = [...cuts.map((cut) => cut.length + 1), ...(arms > 0 ? [arms] : [])];
  const padding = -widths.length & (AT_ONCE - 1);
  const nothing = new Uint8Array(padding > 0 ? rows : 0);
  const starts: number[] = [];
  let bins = 0;
  for (const width of [...widths, ...new Array<number>(padding).fill(1)]) {
    starts.push(bins);
    bins += width;
  }
  return {
    widths,
    starts,
    codes: starts.map((_, j) => (j < widths.length ? codes.subarray(j * rows, (j + 1) * rows) : nothing)),
    size: bins * SUMS,
    local: new Float64Array(rows * SUMS),
  };
}

/** Sums up what `order` holds from `start` to `end`. */
export function fillHistogram(
  histogram: Histogram,
  layout: Layout,
  { start, end }: { readonly start: number; readonly end: number },
  order: Int32Array,
  sums: Float64Array,
): Histogram {
  histogram.fill(0);
  gather(order, start, end, sums, layout.local);
  for (let j = 0; j < layout.codes.length; j += AT_ONCE) fillFour(histogram, layout, j, order, start, end);
  return histogram;
}

// The loops over rows and bins are functions of their own with nothing after the loop: V8 compiles a loop it finds running,
// and would otherwise fall back to slow code at its end, tree after tree.

function gather(order: Int32Array, start: number, end: number, sums: Float64Array, local: Float64Array): void {
  for (let i = start, to = 0; i < end; i++, to += SUMS) {
    const from = (order[i] as number) << 1;
    local[to] = sums[from] as number;
    local[to + 1] = sums[from + 1] as number;
  }
}

function fillFour(
  histogram: Histogram,
  { codes, starts, local }: Layout,
  first: number,
  order: Int32Array,
  start: number,
  end: number,
): void {
  const codesA = codes[first] as Uint8Array;
  const codesB = codes[first + 1] as Uint8Array;
  const codesC = codes[first + 2] as Uint8Array;
  const codesD = codes[first + 3] as Uint8Array;
  const a = starts[first] as number;
  const b = starts[first + 1] as number;
  const c = starts[first + 2] as number;
  const d = starts[first + 3] as number;
  for (let i = start, from = 0; i < end; i++, from += SUMS) {
    const row = order[i] as number;
    const slope = local[from] as number;
    const curve = local[from + 1] as number;
    let at = (a + (codesA[row] as number)) << 1;
    histogram[at] = (histogram[at] as number) + slope;
    histogram[at + 1] = (histogram[at + 1] as number) + curve;
    at = (b + (codesB[row] as number)) << 1;
    histogram[at] = (histogram[at] as number) + slope;
    histogram[at + 1] = (histogram[at + 1] as number) + curve;
    at = (c + (codesC[row] as number)) << 1;
    histogram[at] = (histogram[at] as number) + slope;
    histogram[at + 1] = (histogram[at + 1] as number) + curve;
    at = (d + (codesD[row] as number)) << 1;
    histogram[at] = (histogram[at] as number) + slope;
    histogram[at + 1] = (histogram[at + 1] as number) + curve;
  }
}

/** What is left of a leaf's histogram without that of one of its children. */
export function subtract(from: Histogram, what: Histogram): void {
  for (let i = 0; i < from.length; i++) from[i] = (from[i] as number) - (what[i] as number);
}

/** Gain, bin, and the sums up to this bin (of an arm: of this bin). */
export const FOUND = 4;

/** Tries the `last` first bins of a column and writes what gains more than `found` does. */
export function scanColumn(
  histogram: Histogram,
  first: number,
  last: number,
  isArm: boolean,
  slope: number,
  curve: number,
  least: number,
  l2: number,
  found: Float64Array,
): void {
  const whole = (slope * slope) / (curve + l2);
  let sumSlope = 0;
  let sumCurve = 0;
  for (let bin = 0, at = first; bin < last; bin++, at += SUMS) {
    sumSlope = (isArm ? 0 : sumSlope) + (histogram[at] as number);
    sumCurve = (isArm ? 0 : sumCurve) + (histogram[at + 1] as number);
    const rest = curve - sumCurve;
    if (sumCurve < least || rest < least) continue;
    const other = slope - sumSlope;
    const gain = (sumSlope * sumSlope) / (sumCurve + l2) + (other * other) / (rest + l2) - whole;
    if (gain <= (found[0] as number)) continue;
    found[0] = gain;
    found[1] = bin;
    found[2] = sumSlope;
    found[3] = sumCurve;
  }
}
