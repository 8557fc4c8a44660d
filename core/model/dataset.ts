import { hashUnit, prepareSeed } from "../bucketing/murmur3.ts";
import { type FeatureRow, isZeroWithoutEvents, type Scalar, sourceOf } from "./feature-row.ts";

/** Train fits, calibration calibrates, validation measures. In this order in time. */
export const SLICES = ["train", "calibration", "validation"] as const;
export type Slice = (typeof SLICES)[number];

/** One decision moment: what was known then, and whether the objective was reached afterwards. */
export interface Example {
  /** Whose moment it is: a unit's examples all stay in one slice. */
  readonly unit: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly row: FeatureRow;
  readonly label: boolean;
  /** Only for benchmarks with a given split; by default `splitDataset` decides. All examples of a dataset have one, or none. */
  readonly slice?: Slice | undefined;
}

/** How the moments came about; the contract's `process` reports it. */
export interface DatasetSource {
  readonly total_events: number;
  readonly unique_users: number;
  readonly positive_events: number;
  /** Events of the settings' intermediate and terminal types, where they were counted. */
  readonly funnel?: { readonly intermediate: number; readonly terminal: number } | undefined;
  readonly moments: "exposures" | "views" | "events" | "cut";
  readonly window_seconds: number;
  readonly positive_event_types: readonly string[];
  /** Moments whose window had not passed at the end of the observation: left out. */
  readonly immature: number;
  /** Moments beyond the first of a user and UTC day, or beyond a user's cap: left out. */
  readonly capped: number;
  /** First and last moment that counts as observed, ISO. */
  readonly data_window: { readonly from: string; readonly to: string };
}

/** One raw column: numbers in `numbers` (NaN: not a number), strings and booleans as 1 + index into `dictionary` in `codes` (0: neither). */
export interface RawColumn {
  readonly name: string;
  readonly numbers: Float64Array;
  readonly codes: Uint32Array | null;
  readonly dictionary: readonly string[];
}

/**
 * The examples, by column. Typed arrays, so that a million rows fit into little memory.
 */
export interface Dataset {
  readonly rows: number;
  readonly at: Float64Array;
  /** 1 when the objective was reached. */
  readonly labels: Uint8Array;
  /** Index of the unit, by first appearance. */
  readonly units: Uint32Array;
  /** A hash of the unit, for splits that cannot go by time. */
  readonly unit_hashes: Uint32Array;
  /** Index into SLICES, when the split is given. */
  readonly slices: Uint8Array | null;
  /** In the order of their names. */
  readonly columns: readonly RawColumn[];
  readonly source: DatasetSource;
}

/** Raw columns beyond this many (in order of appearance) are ignored. */
const MAX_RAW_COLUMNS = 256;
/** A column with more different strings than this holds identifiers, not categories: its strings are ignored. */
const MAX_DICTIONARY = 10_000;

const SLICE_SEED = prepareSeed("slices");

/** Collects examples one by one. `schema` and columns that are not features are left out. */
export function datasetBuilder() {
  let rows = 0;
  let capacity = 1024;
  let at = new Float64Array(capacity);
  let labels = new Uint8Array(capacity);
  let units = new Uint32Array(capacity);
  let hashes = new Uint32Array(capacity);
  let slices = new Uint8Array(capacity);
  let sliced = 0;
  const unitIndex = new Map<string, number>();
  const columns = new Map<string, GrowingColumn>();

  const grow = () => {
    capacity *= 2;
    at = resize(at, new Float64Array(capacity));
    labels = resize(labels, new Uint8Array(capacity));
    units = resize(units, new Uint32Array(capacity));
    hashes = resize(hashes, new Uint32Array(capacity));
    slices = resize(slices, new Uint8Array(capacity));
  };

  return {
    get rows() {
      return rows;
    },
    add(example: Example): void {
      if (rows === capacity) grow();
      let unit = unitIndex.get(example.unit);
      if (unit === undefined) {
        unit = unitIndex.size;
        unitIndex.set(example.unit, unit);
      }
      at[rows] = example.at;
      labels[rows] = example.label ? 1 : 0;
      units[rows] = unit;
      hashes[rows] = hashUnit(SLICE_SEED, example.unit);
      if (example.slice !== undefined) {
        slices[rows] = SLICES.indexOf(example.slice);
        sliced++;
      }
      for (const name of Object.keys(example.row)) {
        let column = columns.get(name);
        if (column === undefined) {
          if (columns.size === MAX_RAW_COLUMNS || sourceOf(name) === undefined) continue;
          column = growingColumn();
          columns.set(name, column);
        }
        put(column, rows, example.row[name] ?? null);
      }
      rows++;
    },
    build(source: DatasetSource): Dataset {
      if (sliced !== 0 && sliced !== rows)
        throw new Error(
          `Cannot build the dataset: ${sliced} of ${rows} examples name a slice; name it for all or for none`,
        );
      const built = [...columns].map(
        ([name, column]): RawColumn => ({
          name,
          numbers: resize(column.numbers, new Float64Array(rows).fill(Number.NaN)),
          codes: column.codes === null || column.overflow ? null : resize(column.codes, new Uint32Array(rows)),
          dictionary: column.overflow ? [] : [...column.dictionary.keys()],
        }),
      );
      zeroWithoutEvents(built, rows);
      return {
        rows,
        at: at.slice(0, rows),
        labels: labels.slice(0, rows),
        units: units.slice(0, rows),
        unit_hashes: hashes.slice(0, rows),
        slices: sliced === 0 ? null : slices.slice(0, rows),
        columns: built.sort((a, b) => (a.name < b.name ? -1 : 1)),
        source,
      };
    },
  };
}

/** The value of one example; null when it is missing. Booleans come back as the strings "true" and "false". */
export function valueAt(column: RawColumn, row: number): Scalar {
  const code = column.codes === null ? 0 : (column.codes[row] ?? 0);
  if (code > 0) return column.dictionary[code - 1] ?? null;
  const number = column.numbers[row] ?? Number.NaN;
  return Number.isNaN(number) ? null : number;
}

interface GrowingColumn {
  numbers: Float64Array<ArrayBuffer>;
  codes: Uint32Array<ArrayBuffer> | null;
  readonly dictionary: Map<string, number>;
  overflow: boolean;
}

function growingColumn(): GrowingColumn {
  return { numbers: new Float64Array(0), codes: null, dictionary: new Map(), overflow: false };
}

function put(column: GrowingColumn, row: number, value: Scalar): void {
  if (value === null) return;
  if (typeof value === "number") {
    if (row >= column.numbers.length)
      column.numbers = resize(column.numbers, new Float64Array(Math.max(1024, row * 2)).fill(Number.NaN));
    column.numbers[row] = value;
    return;
  }
  if (column.overflow) return;
  const text = String(value);
  let code = column.dictionary.get(text);
  if (code === undefined) {
    if (column.dictionary.size === MAX_DICTIONARY) {
      column.overflow = true;
      column.dictionary.clear();
      return;
    }
    code = column.dictionary.size + 1;
    column.dictionary.set(text, code);
  }
  if (column.codes === null || row >= column.codes.length)
    column.codes = resize(column.codes ?? new Uint32Array(0), new Uint32Array(Math.max(1024, row * 2)));
  column.codes[row] = code;
}

/** Copies as much of `from` as fits into `to`. */
function resize<T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from);
  return to;
}

/** A row names only the event types its user has; of the others, counts, rates and sums are 0 wherever the profile was known. */
function zeroWithoutEvents(columns: readonly RawColumn[], rows: number): void {
  const known = columns.find((column) => column.name === "events.count");
  if (known === undefined) return;
  for (const column of columns) {
    const source = sourceOf(column.name);
    if (source?.from !== "profile" || !isZeroWithoutEvents(source.measure)) continue;
    for (let row = 0; row < rows; row++)
      if (Number.isNaN(column.numbers[row]) && !Number.isNaN(known.numbers[row])) column.numbers[row] = 0;
  }
}
