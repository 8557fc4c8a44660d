import { z } from "zod";
import { type Scalar, sourceOf } from "./feature-row.ts";

const Finite = z.number();
/** Index into `columns`; null: no column. */
const Column = z.int().nonnegative().nullable();

const NumberFeature = z.object({
  kind: z.literal("number"),
  /** Name of the raw column. */
  name: z.string(),
  /** null: as is. Else sign(x) ln(1 + |x| / log_scale), for heavy tails. */
  log_scale: Finite.positive().nullable(),
  /** Values are clipped to what the train slice mostly held, after the logarithm. */
  low: Finite,
  high: Finite,
  value: Column,
  /** The indicator of a missing value; null: too few to learn from, then a missing value counts as the mean. */
  missing: Column,
  /** Raw values, clipped, at evenly spaced quantiles 0..1 of the train slice's rows that have one; and the share of those that have none. */
  quantiles: z.array(Finite).min(2),
  missing_share: Finite,
});

const CategoryFeature = z.object({
  kind: z.literal("category"),
  name: z.string(),
  /** Known levels and their columns; null: the reference level, or one that is not used. */
  levels: z.array(z.tuple([z.string(), Column])),
  /** The column of all other levels; null: unknown levels count as the mean. */
  other: Column,
  missing: Column,
  /** Shares of the train slice's rows: of each level, of all others, and of those without a value. */
  shares: z.array(Finite),
});

/**
 * How a raw row becomes the standardised numbers a learner sees. Fitted on the train slice alone (fit-encoding.ts), stored
 * in the artifact, and applied by this file in training and in serving.
 */
export const Encoding = z.object({
  /** The learner's inputs: their names, and the mean and (population) deviation they are standardised with. */
  columns: z.array(z.object({ name: z.string(), mean: Finite, sd: Finite.positive() })),
  features: z.array(z.discriminatedUnion("kind", [NumberFeature, CategoryFeature])),
  /** True when rows without a single one of the used attributes were trained on, so that such a user can be scored. */
  blank_attributes: z.boolean(),
});
export type Encoding = z.infer<typeof Encoding>;
export type EncodedColumn = Encoding["columns"][number];
export type EncodedFeature = Encoding["features"][number];
type NumberFeature = z.infer<typeof NumberFeature>;
type CategoryFeature = z.infer<typeof CategoryFeature>;

/**
 * Writes the standardised columns of a row to `out`, from `offset` on. `values` holds the raw value of each of the
 * encoding's features, in their order. Answers whether any attribute said something: a number where one was learned from, or a
 * level that has a column or is the reference. A value of another type, or a level never learned from, says nothing.
 */
export type EncodeRow = (values: readonly Scalar[], out: Float64Array, offset: number) => boolean;

/**
 * Compiles an encoding. Total: any values give finite numbers. A value that is missing, of the wrong type or unknown, and has
 * no column of its own, gives 0 (the mean) in all columns of its feature. One loop over flat arrays, as it is on the hot path.
 */
export function rowEncoder({ columns, features }: Encoding): EncodeRow {
  /** What a column of zeros and ones holds standardised, and where most of them stay. */
  const clear = Float64Array.from(columns, ({ mean, sd }) => -mean / sd);
  const set = Float64Array.from(columns, ({ mean, sd }) => (1 - mean) / sd);
  const means = Float64Array.from(columns, ({ mean }) => mean);
  const inverses = Float64Array.from(columns, ({ sd }) => 1 / sd);
  const numbers = features.map((feature) => (feature.kind === "number" ? compileNumber(feature) : undefined));
  const categories = features.map((feature) => (feature.kind === "category" ? compileCategory(feature) : undefined));
  const attributes = features.map(({ name }) => sourceOf(name)?.from === "attribute");
  const width = columns.length;
  return (values, out, offset) => {
    let known = false;
    for (let j = 0; j < width; j++) out[offset + j] = clear[j] as number;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as Scalar;
      const number = numbers[i];
      if (number !== undefined) {
        const { column, missing, log_scale, low, high } = number;
        if (typeof value === "number") {
          if (attributes[i]) known = true;
          if (column < 0) continue;
          const x = log_scale === 0 ? value : signedLog(value, log_scale);
          out[offset + column] =
            (Math.min(high, Math.max(low, x)) - (means[column] as number)) * (inverses[column] as number);
        } else {
          if (column >= 0) out[offset + column] = 0;
          if (missing >= 0) out[offset + missing] = set[missing] as number;
        }
        continue;
      }
      const category = categories[i] as CompiledCategory;
      const hit =
        value === null
          ? category.missing
          : (category.levels.get(typeof value === "string" ? value : String(value)) ?? category.other);
      if (hit >= 0) out[offset + hit] = set[hit] as number;
      else if (hit === UNKNOWN) for (const column of category.columns) out[offset + column] = 0;
      if (attributes[i] && value !== null && hit !== UNKNOWN) known = true;
    }
    return known;
  };
}

/** sign(x) ln(1 + |x| / scale): near-linear below the scale, logarithmic above. */
export function signedLog(value: number, scale: number): number {
  return value < 0 ? -Math.log1p(-value / scale) : Math.log1p(value / scale);
}

/** Indices of the learner's inputs that a feature fills. */
export function columnsOf(feature: EncodedFeature): readonly number[] {
  const own =
    feature.kind === "number"
      ? [feature.value, feature.missing]
      : [...feature.levels.map(([, column]) => column), feature.other, feature.missing];
  return own.filter((column) => column !== null);
}

/** Instead of a column: the level is known and has none (the reference); nothing is known of the value. */
const NONE = -1;
const UNKNOWN = -2;

function compileNumber({ value, missing, log_scale, low, high }: NumberFeature) {
  return { column: value ?? NONE, missing: missing ?? NONE, log_scale: log_scale ?? 0, low, high };
}

interface CompiledCategory {
  readonly levels: ReadonlyMap<string, number>;
  readonly other: number;
  readonly missing: number;
  readonly columns: readonly number[];
}

function compileCategory(feature: CategoryFeature): CompiledCategory {
  return {
    levels: new Map(feature.levels.map(([level, column]) => [level, column ?? NONE])),
    other: feature.other ?? UNKNOWN,
    missing: feature.missing ?? UNKNOWN,
    columns: columnsOf(feature),
  };
}
