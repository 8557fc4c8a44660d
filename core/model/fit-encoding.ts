import { type Dataset, type RawColumn, valueAt } from "./dataset.ts";
import { type EncodedColumn, type EncodedFeature, type Encoding, signedLog } from "./encoding.ts";
import { sourceOf } from "./feature-row.ts";
import { seededRandom } from "./random.ts";

/** At most this many learner inputs, and rows times inputs; beyond, those that go along with the outcome best in the train slice are kept. */
const MAX_COLUMNS = 200;
const MAX_CELLS = 60_000_000;
/** Levels of a category that get a column of their own. */
const MAX_LEVELS = 20;
/**
 * A level, an unknown rest or a missing value gets a column only when this many different units have it: enough to learn
 * from, and no column that tells one user from the others.
 */
const MIN_UNITS = 10;
/** Columns more skewed than this are taken by their logarithm. */
const SKEWED = 2;
/** Numbers are kept at so many quantiles and one more: drift is measured against them, and fewer would blur whole numbers. */
const QUANTILES = 100;
/** Values beyond those of this share of the units (one unit at least), at either end, are clipped: one user's extremes move nothing. */
const CLIPPED = 0.002;

/**
 * Fits the encoding on the given rows (the train slice), and on nothing else.
 *
 * - A column is numeric when at least 90 % of its values are numbers, else a category (booleans too).
 * - Heavy tails are taken by their logarithm; the scale is the median size of the values that are not 0.
 * - Constants, and columns that equal an earlier one, are dropped.
 */
export function fitEncoding(dataset: Dataset, rows: Uint32Array): Encoding {
  const train = inOrderOfUnits(dataset, rows);
  const candidates = dataset.columns.flatMap((column) => {
    const draft = isNumeric(column, train) ? draftNumber(dataset, column, train) : draftCategory(column, train);
    return draft === undefined ? [] : [draft];
  });
  const limit = Math.min(MAX_COLUMNS, Math.floor(MAX_CELLS / dataset.rows));
  const kept = choose(
    candidates.flatMap((draft) => draft.columns),
    limit,
  );
  const index = new Map(kept.map((column, at) => [column, at]));
  const features = candidates
    .map((draft) => draft.finish((column) => (column === undefined ? null : (index.get(column) ?? null))))
    .filter((feature) => feature !== undefined);
  return {
    columns: kept.map(({ name, mean, sd }) => ({ name, mean, sd })),
    features,
    blank_attributes: hasBlankRow(dataset, features, train),
  };
}

/** The rows being fitted, each unit's together, with what is needed to weigh a column against them. */
interface Train {
  readonly rows: Uint32Array;
  readonly units: Uint32Array;
  /** Outcomes less their mean. */
  readonly outcomes: Float64Array;
  /** Random numbers, one a row: two columns with the same mean, deviation and product with them are the same column. */
  readonly probe: Float64Array;
}

interface DraftColumn extends EncodedColumn {
  /** |correlation with the outcome|. */
  readonly relevance: number;
  readonly signature: number;
}

interface Draft {
  readonly columns: readonly DraftColumn[];
  /** undefined when none of the columns was kept. */
  finish(index: (column: DraftColumn | undefined) => number | null): EncodedFeature | undefined;
}

function inOrderOfUnits(dataset: Dataset, chosen: Uint32Array): Train {
  const rows = Uint32Array.from(chosen).sort(
    (a, b) => (dataset.units[a] as number) - (dataset.units[b] as number) || a - b,
  );
  const { values } = dataset;
  let sum = 0;
  for (const row of rows) sum += values[row] as number;
  const mean = sum / Math.max(1, rows.length);
  const random = seededRandom(1);
  return {
    rows,
    units: Uint32Array.from(rows, (row) => dataset.units[row] as number),
    outcomes: Float64Array.from(rows, (row) => (values[row] as number) - mean),
    probe: Float64Array.from(rows, () => random() - 0.5),
  };
}

function isNumeric(column: RawColumn, { rows }: Train): boolean {
  let numbers = 0;
  let others = 0;
  for (const row of rows) {
    if (column.codes !== null && column.codes[row] !== 0) others++;
    else if (!Number.isNaN(column.numbers[row])) numbers++;
  }
  return numbers > 0 && others <= (numbers + others) * 0.1;
}

function draftNumber(dataset: Dataset, column: RawColumn, train: Train): Draft | undefined {
  const isMissing = (row: number) =>
    Number.isNaN(column.numbers[row]) || (column.codes !== null && column.codes[row] !== 0);
  const present = train.rows.filter((row) => !isMissing(row));
  const raw = Float64Array.from(present, (row) => column.numbers[row] as number);
  const units = Uint32Array.from(present, (row) => dataset.units[row] as number);
  const range = clippingRange(raw, units);
  const clipped = raw.map((value) => clip(value, range));
  const log_scale = skewness(clipped) > SKEWED ? medianSize(clipped) : null;
  const scaled = (value: number) => (log_scale === null ? value : signedLog(value, log_scale));
  const [low, high] = [scaled(range[0]), scaled(range[1])];
  const mean = meanOf(clipped.map(scaled));
  // A missing value is at the mean, so it adds nothing to the deviation.
  const dense = Float64Array.from(train.rows, (row) =>
    isMissing(row) ? mean : clip(scaled(column.numbers[row] as number), [low, high]),
  );
  const missing_share = 1 - present.length / train.rows.length;
  const sorted = clipped.sort();
  const quantiles = Array.from(
    { length: QUANTILES + 1 },
    (_, i) => sorted[Math.round((i / QUANTILES) * (sorted.length - 1))] as number,
  );
  const value = draftColumn(column.name, dense, train);
  const missing = draftIndicator(`${column.name} missing`, train, (i) => isMissing(train.rows[i] as number));
  const columns = [value, missing].filter((draft) => draft !== undefined);
  if (columns.length === 0) return undefined;
  return {
    columns,
    finish(index) {
      const at = { value: index(value), missing: index(missing) };
      if (at.value === null && at.missing === null) return undefined;
      return { kind: "number", name: column.name, log_scale, low, high, ...at, quantiles, missing_share };
    },
  };
}

function draftCategory(column: RawColumn, train: Train): Draft | undefined {
  const levels = levelsOf(column, train);
  // Each row's place among the levels, looked up once.
  const rank = new Map(levels.map((level, place) => [level, place]));
  const [OTHER, MISSING] = [levels.length, levels.length + 1];
  const places = Uint8Array.from(train.rows, (row) => {
    const value = valueAt(column, row);
    return value === null ? MISSING : (rank.get(String(value)) ?? OTHER);
  });
  const indicator = (name: string, place: number) => draftIndicator(name, train, (i) => places[i] === place);
  // The most frequent level is the reference the others are compared with.
  const own = levels.map((level, place) => (place === 0 ? undefined : indicator(`${column.name}=${level}`, place)));
  const other = indicator(`${column.name} other`, OTHER);
  const missing = indicator(`${column.name} missing`, MISSING);
  const columns = [...own, other, missing].filter((draft) => draft !== undefined);
  if (columns.length === 0) return undefined;
  const counts = new Float64Array(levels.length + 2);
  for (const place of places) counts[place] = (counts[place] as number) + 1;
  const shares = Array.from(counts, (count) => count / places.length);
  return {
    columns,
    finish(index) {
      const at = { other: index(other), missing: index(missing) };
      const columnsOfLevels = levels.map((level, place) => [level, index(own[place])] as [string, number | null]);
      if (at.other === null && at.missing === null && columnsOfLevels.every(([, column]) => column === null))
        return undefined;
      return { kind: "category", name: column.name, levels: columnsOfLevels, ...at, shares };
    },
  };
}

/** The levels that enough units have, the most frequent first. */
function levelsOf(column: RawColumn, train: Train): readonly string[] {
  const counts = new Map<string, { rows: number; units: number; last: number }>();
  for (let i = 0; i < train.rows.length; i++) {
    const value = valueAt(column, train.rows[i] as number);
    if (value === null) continue;
    const level = String(value);
    const unit = train.units[i] as number;
    const count = counts.get(level);
    if (count === undefined) counts.set(level, { rows: 1, units: 1, last: unit });
    else {
      count.rows++;
      if (count.last !== unit) count.units++;
      count.last = unit;
    }
  }
  return [...counts]
    .filter(([, count]) => count.units >= MIN_UNITS)
    .sort(([a, x], [b, y]) => y.rows - x.rows || (a < b ? -1 : 1))
    .slice(0, MAX_LEVELS)
    .map(([level]) => level);
}

/** A column of ones where `test` of the place among the rows holds; undefined unless enough units have it, and enough have not. */
function draftIndicator(name: string, train: Train, test: (index: number) => boolean): DraftColumn | undefined {
  const dense = Float64Array.from(train.rows, (_, i) => (test(i) ? 1 : 0));
  const enough = [0, 1].every((value) => countUnits(train.units, (i) => dense[i] === value) >= MIN_UNITS);
  return enough ? draftColumn(name, dense, train) : undefined;
}

/** How many units pass the test in at least one place. `units` holds each unit's places together. */
function countUnits(units: Uint32Array, test: (index: number) => boolean): number {
  let count = 0;
  let last = -1;
  for (let i = 0; i < units.length; i++) {
    if (units[i] === last || !test(i)) continue;
    last = units[i] as number;
    count++;
  }
  return count;
}

/** undefined for a constant. */
function draftColumn(name: string, dense: Float64Array, train: Train): DraftColumn | undefined {
  const mean = meanOf(dense);
  let square = 0;
  let label = 0;
  let labelSquare = 0;
  let signature = 0;
  for (let i = 0; i < dense.length; i++) {
    const d = (dense[i] as number) - mean;
    const y = train.outcomes[i] as number;
    square += d * d;
    label += d * y;
    labelSquare += y * y;
    signature += d * (train.probe[i] as number);
  }
  const sd = Math.sqrt(square / dense.length);
  if (!(sd > 1e-9 * Math.max(1, Math.abs(mean)))) return undefined;
  return { name, mean, sd, relevance: Math.abs(label) / Math.sqrt(square * labelSquare), signature: signature / sd };
}

/** Drops copies of earlier columns and, beyond the limit, the least relevant. Keeps the order. */
function choose(columns: readonly DraftColumn[], limit: number): readonly DraftColumn[] {
  const seen = new Set<string>();
  const different = columns.filter((column) => {
    const signature = column.signature.toPrecision(9);
    if (seen.has(signature)) return false;
    seen.add(signature);
    return true;
  });
  if (different.length <= limit) return different;
  const best = new Set([...different].sort((a, b) => b.relevance - a.relevance).slice(0, limit));
  return different.filter((column) => best.has(column));
}

function hasBlankRow(dataset: Dataset, features: readonly EncodedFeature[], { rows }: Train): boolean {
  const used = new Set(features.map((feature) => feature.name));
  const attributes = dataset.columns.filter(
    (column) => used.has(column.name) && sourceOf(column.name)?.from === "attribute",
  );
  return rows.some((row) => attributes.every((column) => valueAt(column, row) === null));
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / Math.max(1, values.length);
}

function skewness(values: Float64Array): number {
  const mean = meanOf(values);
  let square = 0;
  let cube = 0;
  for (const value of values) {
    const d = value - mean;
    square += d * d;
    cube += d * d * d;
  }
  const variance = square / Math.max(1, values.length);
  return variance > 0 ? Math.abs(cube / values.length / variance ** 1.5) : 0;
}

function medianSize(values: Float64Array): number {
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  return sizes.sort()[sizes.length >> 1] ?? 1;
}

type Bounds = readonly [low: number, high: number];

function clip(value: number, [low, high]: Bounds): number {
  return Math.min(high, Math.max(low, value));
}

/**
 * What all but the most extreme units hold (by the mean of each unit). Where that is a single value, as in a column that is
 * nearly always 0, the whole range, provided enough units differ from it; else that value: a constant, which is dropped.
 */
function clippingRange(values: Float64Array, units: Uint32Array): Bounds {
  const means = new Float64Array(values.length);
  let count = 0;
  for (let start = 0; start < values.length; ) {
    let end = start;
    while (end < values.length && units[end] === units[start]) end++;
    means[count++] = meanOf(values.subarray(start, end));
    start = end;
  }
  const sorted = means.subarray(0, count).sort();
  const cut = Math.min(Math.max(1, Math.ceil(CLIPPED * sorted.length)), (sorted.length - 1) >> 1);
  const [low, high] = [sorted[cut] ?? 0, sorted[sorted.length - 1 - cut] ?? 0];
  if (low < high || countUnits(units, (i) => values[i] !== low) < MIN_UNITS) return [low, high];
  return values.reduce<Bounds>(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [low, high]);
}
