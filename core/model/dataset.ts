import { hashUnit, prepareSeed } from "../bucketing/murmur3.ts";
import { FEATURE_SCHEMA, type FeatureRow, isZeroWithoutEvents, type Scalar, sourceOf } from "./feature-row.ts";
import { type GrowingColumn, growingColumn, keepRows, lengthened } from "./growing-column.ts";

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
  /** The outcome, 0..1, where it is a number: a share of the objective's cap. Default: the label. */
  readonly value?: number | undefined;
  /** The variant that was served, and the probability it was drawn with. Only for builders that know arms. */
  readonly arm?: string | undefined;
  readonly probability?: number | undefined;
  /** What became of each guardrail, 0..1, as many as the builder was told. */
  readonly guardrails?: readonly number[] | undefined;
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
  /** Share of the units that were kept, 0..1, where all would not have fitted into memory. Said by the builder. */
  readonly sampled?: number | undefined;
  /** How many examples there were before that. Said by the builder. */
  readonly sampled_from?: number | undefined;
}

/** One raw column: numbers in `numbers` (NaN: not a number), strings and booleans as 1 + index into `dictionary` in `codes` (0: neither). */
export interface RawColumn {
  readonly name: string;
  readonly numbers: Float64Array;
  readonly codes: Uint32Array | null;
  readonly dictionary: readonly (string | boolean)[];
}

/**
 * The examples, by column. Typed arrays, so that a million rows fit into little memory.
 */
export interface Dataset {
  readonly rows: number;
  readonly at: Float64Array;
  /** 1 when the objective was reached. */
  readonly labels: Uint8Array;
  /** The outcome, 0..1: the label, where it is not a number of its own. */
  readonly values: Float64Array;
  /** The variants that may have been served, the safe one first; null: it is not known what was served. */
  readonly arms: readonly string[] | null;
  /** Index into `arms`; null without arms. */
  readonly arm: Uint8Array | null;
  /** The probability the arm was drawn with (NaN: not known); null without arms. */
  readonly probability: Float64Array | null;
  /** Outcomes of the guardrails, 0..1: `guardrail_count` numbers a row. */
  readonly guardrails: Float64Array;
  readonly guardrail_count: number;
  /** Index of the unit, by first appearance. */
  readonly units: Uint32Array;
  readonly unit_names: readonly string[];
  /** A hash of the unit, for splits that cannot go by time. */
  readonly unit_hashes: Uint32Array;
  /** Index into SLICES, when the split is given. */
  readonly slices: Uint8Array | null;
  /** In the order of their names. */
  readonly columns: readonly RawColumn[];
  readonly source: DatasetSource;
}

export interface DatasetOptions {
  /** The variants that are learned about, the safe one first. Examples of others, such as deleted ones, are left out. */
  readonly arms?: readonly string[] | undefined;
  /** How many numbers each example's `guardrails` holds. Default 0. */
  readonly guardrail_count?: number | undefined;
  /** Default 1,000,000. */
  readonly max_rows?: number | undefined;
}

/** Raw columns beyond this many (in order of appearance) are ignored. */
const MAX_RAW_COLUMNS = 256;
const MAX_ROWS = 1_000_000;
/** Rows times raw columns: 8 to 12 bytes each. */
const MAX_CELLS = 40_000_000;

const SLICE_SEED = prepareSeed("slices");
const SAMPLE_SEED = prepareSeed("sample");
const HASHES = 2 ** 32;

/**
 * Collects examples one by one. `schema` and columns that are not features are left out.
 *
 * Memory is bounded: when there are more rows or cells than fit, half of the units (by their hash: the same units whatever
 * the order) are dropped with all their examples, and those of their kind that come later too; `source.sampled` says so.
 */
export function datasetBuilder(options: DatasetOptions = {}) {
  const { arms = null, guardrail_count = 0, max_rows = MAX_ROWS } = options;
  const armIndex = new Map(arms?.map((name, i) => [name, i]));
  let rows = 0;
  let offered = 0;
  let capacity = Math.min(1024, max_rows);
  let at = new Float64Array(capacity);
  let labels = new Uint8Array(capacity);
  let values = new Float64Array(capacity);
  let arm = new Uint8Array(capacity);
  let probability = new Float64Array(capacity);
  let guardrails = new Float64Array(capacity * guardrail_count);
  let units = new Uint32Array(capacity);
  let hashes = new Uint32Array(capacity);
  let slices = new Uint8Array(capacity);
  let sliced = 0;
  /** Units whose hash is below it are kept. */
  let threshold = HASHES;
  let unitIndex = new Map<string, number>();
  const columns = new Map<string, GrowingColumn>();

  const grow = () => {
    capacity = Math.min(capacity * 2, max_rows);
    at = lengthened(at, capacity, 0);
    labels = lengthened(labels, capacity, 0);
    values = lengthened(values, capacity, 0);
    arm = lengthened(arm, capacity, 0);
    probability = lengthened(probability, capacity, 0);
    guardrails = lengthened(guardrails, capacity * guardrail_count, 0);
    units = lengthened(units, capacity, 0);
    hashes = lengthened(hashes, capacity, 0);
    slices = lengthened(slices, capacity, 0);
  };

  const dropHalf = () => {
    threshold /= 2;
    const renumbered = new Map<string, number>();
    const numbers = new Int32Array(unitIndex.size).fill(-1);
    for (const [name, index] of unitIndex)
      if (hashUnit(SAMPLE_SEED, name) < threshold) {
        numbers[index] = renumbered.size;
        renumbered.set(name, renumbered.size);
      }
    unitIndex = renumbered;
    let count = 0;
    const kept = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const unit = numbers[units[row] as number] as number;
      if (unit < 0) continue;
      units[row] = unit;
      kept[count++] = row;
    }
    const keep = kept.subarray(0, count);
    for (const numbersOf of [at, labels, values, arm, probability, units, hashes, slices]) keepRows(numbersOf, keep, 0);
    keepRows(guardrails, keep, 0, guardrail_count);
    for (const column of columns.values()) column.keep(keep);
    if (sliced > 0) sliced = count;
    rows = count;
  };

  return {
    get rows() {
      return rows;
    },
    add(example: Example): void {
      const served = armIndex.get(example.arm ?? "");
      if (arms !== null && served === undefined) return;
      offered++;
      while (rows >= Math.min(max_rows, Math.floor(MAX_CELLS / Math.max(1, columns.size)))) dropHalf();
      if (threshold < HASHES && hashUnit(SAMPLE_SEED, example.unit) >= threshold) return;
      if (rows === capacity) grow();
      let unit = unitIndex.get(example.unit);
      if (unit === undefined) {
        unit = unitIndex.size;
        unitIndex.set(example.unit, unit);
      }
      at[rows] = example.at;
      labels[rows] = example.label ? 1 : 0;
      values[rows] = example.value ?? (example.label ? 1 : 0);
      arm[rows] = served ?? 0;
      probability[rows] = example.probability ?? Number.NaN;
      for (let i = 0; i < guardrail_count; i++) guardrails[rows * guardrail_count + i] = example.guardrails?.[i] ?? 0;
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
          column = growingColumn(max_rows);
          columns.set(name, column);
        }
        column.put(rows, example.row[name] ?? null);
      }
      rows++;
    },
    build(source: DatasetSource): Dataset {
      if (sliced !== 0 && sliced !== rows)
        throw new Error(
          `Cannot build the dataset: ${sliced} of ${rows} examples name a slice; name it for all or for none`,
        );
      const built = [...columns].map(([name, column]): RawColumn => ({ name, ...column.finish(rows) }));
      zeroWithoutEvents(built, rows);
      return {
        rows,
        at: at.subarray(0, rows),
        labels: labels.subarray(0, rows),
        values: values.subarray(0, rows),
        arms,
        arm: arms === null ? null : arm.subarray(0, rows),
        probability: arms === null ? null : probability.subarray(0, rows),
        guardrails: guardrails.subarray(0, rows * guardrail_count),
        guardrail_count,
        units: units.subarray(0, rows),
        unit_names: [...unitIndex.keys()],
        unit_hashes: hashes.subarray(0, rows),
        slices: sliced === 0 ? null : slices.subarray(0, rows),
        columns: built.sort((a, b) => (a.name < b.name ? -1 : 1)),
        source: { ...source, sampled: threshold / HASHES, sampled_from: offered },
      };
    },
  };
}

/** The value of one example; null when it is missing. */
export function valueAt(column: RawColumn, row: number): Scalar {
  const code = column.codes === null ? 0 : (column.codes[row] ?? 0);
  if (code > 0) return column.dictionary[code - 1] ?? null;
  const number = column.numbers[row] ?? Number.NaN;
  return Number.isNaN(number) ? null : number;
}

/** The raw row of one example again: what it was added with, less what is not a feature. */
export function rowAt(dataset: Dataset, row: number): FeatureRow {
  const found: Record<string, Scalar> = { schema: FEATURE_SCHEMA };
  for (const column of dataset.columns) {
    const value = valueAt(column, row);
    if (value !== null) found[column.name] = value;
  }
  return found;
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
