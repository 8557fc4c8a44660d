import { seededRandom } from "./random.ts";

/** Every column of a table as small whole numbers, column after column. The arm, if there is one, is the last column. */
export interface Bins {
  readonly rows: number;
  /** Columns of x; the arm's column is not counted. */
  readonly columns: number;
  /** Arms; 0: there are none. */
  readonly arms: number;
  /** `codes[column * rows + row]`: the bin, 0..254; the arm itself in the arm's column. */
  readonly codes: Uint8Array;
  /** `cuts[column]`, ascending: bin b holds cuts[b - 1] < x <= cuts[b]. */
  readonly cuts: readonly Float64Array[];
}

interface Table {
  readonly x: Float64Array;
  readonly columns: number;
  readonly rows: number;
  readonly arms?: { readonly count: number; readonly index: Uint8Array } | undefined;
}

const MAX_BINS = 255;
/** Cut points are taken from at most this many rows. */
const SAMPLE = 100_000;

/**
 * Cuts every column into at most 255 bins of about as many rows each; with fewer different values, every value has its own.
 * A cut point lies between two values that occur, rounded to as few digits as leave it there, so that it is short in JSON.
 */
export function binColumns({ x, columns, rows, arms }: Table, seed: number): Bins {
  const sample = sampleRows(rows, seed);
  const cuts = Array.from({ length: columns }, (_, j) =>
    cutPoints(Float64Array.from(sample, (row) => x[row * columns + j] as number).sort()),
  );
  const codes = new Uint8Array(rows * (columns + (arms === undefined ? 0 : 1)));
  for (let row = 0, at = 0; row < rows; row++)
    for (let j = 0; j < columns; j++, at++) codes[j * rows + row] = binOf(cuts[j] as Float64Array, x[at] as number);
  if (arms !== undefined) codes.set(arms.index.subarray(0, rows), columns * rows);
  return { rows, columns, arms: arms?.count ?? 0, codes, cuts };
}

/** The table of these rows alone. */
export function takeRows({ rows, columns, arms, codes, cuts }: Bins, chosen: Int32Array): Bins {
  const taken = new Uint8Array((codes.length / rows) * chosen.length);
  for (let from = 0, to = 0; from < codes.length; from += rows)
    for (let i = 0; i < chosen.length; i++, to++) taken[to] = codes[from + (chosen[i] as number)] as number;
  return { rows: chosen.length, columns, arms, codes: taken, cuts };
}

function sampleRows(rows: number, seed: number): Int32Array {
  if (rows <= SAMPLE) return Int32Array.from({ length: rows }, (_, row) => row);
  const random = seededRandom(seed);
  return Int32Array.from({ length: SAMPLE }, () => Math.floor(random() * rows));
}

/** Of ascending values. A value so frequent that it fills a bin gets one to itself. */
function cutPoints(values: Float64Array): Float64Array {
  const cuts: number[] = [];
  let different = 1;
  for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1]) different++;
  let bins = MAX_BINS;
  let left = values.length;
  let filled = 0;
  for (let i = 0; i < values.length && bins > 1; ) {
    let end = i + 1;
    while (end < values.length && values[end] === values[i]) end++;
    const next = end < values.length ? runLength(values, end) : 0;
    filled += end - i;
    const wanted = left / bins;
    // Closed when full, or when the next value would fill it twice over.
    if (end < values.length && (different <= MAX_BINS || filled >= wanted || (filled + next) / 2 >= wanted)) {
      cuts.push(between(values[i] as number, values[end] as number));
      left -= filled;
      filled = 0;
      bins--;
    }
    i = end;
  }
  return Float64Array.from(cuts);
}

function runLength(values: Float64Array, start: number): number {
  let end = start + 1;
  while (end < values.length && values[end] === values[start]) end++;
  return end - start;
}

/** A short number c with low <= c < high. */
function between(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  for (let digits = 2; digits < 17; digits++) {
    const short = Number(middle.toPrecision(digits));
    if (short >= low && short < high) return short;
  }
  return low;
}

/** How many cut points are below the value. */
function binOf(cuts: Float64Array, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (cuts[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
