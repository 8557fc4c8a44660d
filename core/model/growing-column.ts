import type { Scalar } from "./feature-row.ts";

/** One raw column while its examples come in. Rows that are never put hold nothing. */
export interface GrowingColumn {
  put(row: number, value: Scalar): void;
  /** Drops all rows but these (ascending), which become 0, 1, 2, ... */
  keep(rows: Uint32Array): void;
  /** The first `rows` rows, as RawColumn has them: views, not copies, where the arrays are long enough. */
  finish(rows: number): {
    readonly numbers: Float64Array;
    readonly codes: Uint32Array | null;
    readonly dictionary: readonly (string | boolean)[];
  };
}

/** A column with more different strings than this holds identifiers, not categories: its strings are ignored. */
const MAX_DICTIONARY = 10_000;
const FIRST_LENGTH = 1024;

/** @param limit rows there will never be more than */
export function growingColumn(limit: number): GrowingColumn {
  let numbers = new Float64Array(0);
  let codes: Uint32Array<ArrayBuffer> | null = null;
  let overflow = false;
  const dictionary = new Map<string | boolean, number>();
  const lengthFor = (row: number) => Math.min(limit, Math.max(FIRST_LENGTH, row * 2));

  const codeOf = (text: string | boolean): number | undefined => {
    const known = dictionary.get(text);
    if (known !== undefined) return known;
    if (dictionary.size === MAX_DICTIONARY) {
      overflow = true;
      dictionary.clear();
      codes = null;
      return undefined;
    }
    dictionary.set(text, dictionary.size + 1);
    return dictionary.size;
  };

  return {
    put(row, value) {
      if (value === null) return;
      if (typeof value === "number") {
        if (row >= numbers.length) numbers = lengthened(numbers, lengthFor(row), Number.NaN);
        numbers[row] = value;
        return;
      }
      if (overflow) return;
      const code = codeOf(value);
      if (code === undefined) return;
      if (codes === null || row >= codes.length) codes = lengthened(codes ?? new Uint32Array(0), lengthFor(row), 0);
      codes[row] = code;
    },
    keep(rows) {
      keepRows(numbers, rows, Number.NaN);
      if (codes !== null) keepRows(codes, rows, 0);
    },
    finish: (rows) => ({
      numbers: cut(numbers, rows, Number.NaN),
      codes: codes === null ? null : cut(codes, rows, 0),
      dictionary: [...dictionary.keys()],
    }),
  };
}

type Numbers = Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** A longer copy, filled up with `nothing`. */
export function lengthened<T extends Numbers>(from: T, length: number, nothing: number): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(from);
  return nothing === 0 ? to : (to.fill(nothing, from.length) as T);
}

/** Moves these rows (ascending) to the front, in place; all others become `nothing`. Each row has `width` numbers. */
export function keepRows(numbers: Numbers, rows: Uint32Array, nothing: number, width = 1): void {
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    for (let k = 0; k < width; k++) numbers[i * width + k] = numbers[from + k] ?? nothing;
  }
  numbers.fill(nothing, rows.length * width);
}

function cut<T extends Numbers>(numbers: T, rows: number, nothing: number): T {
  return (numbers.length < rows ? lengthened(numbers, rows, nothing) : numbers.subarray(0, rows)) as T;
}
