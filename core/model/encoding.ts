import { z } from "zod";
import type { Scalar } from "./feature-row.ts";

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
});

const CategoryFeature = z.object({
  kind: z.literal("category"),
  name: z.string(),
  /** Known levels and their columns; null: the reference level, or one that is not used. */
  levels: z.array(z.tuple([z.string(), Column])),
  /** The column of all other levels; null: unknown levels count as the mean. */
  other: Column,
  missing: Column,
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

/** Writes one feature's standardised columns for a raw value. */
export type EncodeFeature = (value: Scalar | undefined, out: Float64Array) => void;

/**
 * The standardised columns of one feature. Total: any value gives finite numbers. A value that is missing, of the wrong type
 * or unknown, and has no column of its own, gives 0 (the mean) in all columns of the feature.
 */
export function featureEncoder(feature: EncodedFeature, columns: readonly EncodedColumn[]): EncodeFeature {
  return feature.kind === "number" ? numberEncoder(feature, columns) : categoryEncoder(feature, columns);
}

/** Encodes a whole row: `read` gives the raw value of a column by name. */
export function rowEncoder(
  encoding: Encoding,
): (read: (name: string) => Scalar | undefined, out: Float64Array) => void {
  const encoders = encoding.features.map((feature) => featureEncoder(feature, encoding.columns));
  return (read, out) => {
    for (let i = 0; i < encoders.length; i++)
      (encoders[i] as EncodeFeature)(read((encoding.features[i] as EncodedFeature).name), out);
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

function numberEncoder(feature: NumberFeature, columns: readonly EncodedColumn[]): EncodeFeature {
  const { log_scale, low, high } = feature;
  const { index, mean, inverse } = standardised(feature.value, columns);
  const missing = indicator(feature.missing, columns);
  return (value, out) => {
    if (typeof value !== "number") {
      if (index >= 0) out[index] = 0;
      if (missing.index >= 0) out[missing.index] = missing.set;
      return;
    }
    if (index >= 0) {
      const x = log_scale === null ? value : signedLog(value, log_scale);
      out[index] = (Math.min(high, Math.max(low, x)) - mean) * inverse;
    }
    if (missing.index >= 0) out[missing.index] = missing.clear;
  };
}

function categoryEncoder(feature: CategoryFeature, columns: readonly EncodedColumn[]): EncodeFeature {
  const own = columnsOf(feature).map((column) => indicator(column, columns));
  const levels = new Map(feature.levels.map(([level, column]) => [level, indicator(column, columns)]));
  const other = feature.other === null ? undefined : indicator(feature.other, columns);
  const missing = feature.missing === null ? undefined : indicator(feature.missing, columns);
  return (value, out) => {
    const hit =
      value === null || value === undefined
        ? missing
        : (levels.get(typeof value === "string" ? value : String(value)) ?? other);
    if (hit === undefined) {
      for (let i = 0; i < own.length; i++) out[(own[i] as Indicator).index] = 0;
      return;
    }
    for (let i = 0; i < own.length; i++) {
      const column = own[i] as Indicator;
      out[column.index] = column.clear;
    }
    if (hit.index >= 0) out[hit.index] = hit.set;
  };
}

/** A column of zeros and ones, standardised. Index -1: no column. */
interface Indicator {
  readonly index: number;
  readonly set: number;
  readonly clear: number;
}

function indicator(column: number | null, columns: readonly EncodedColumn[]): Indicator {
  const { index, mean, inverse } = standardised(column, columns);
  return { index, set: (1 - mean) * inverse, clear: -mean * inverse };
}

function standardised(column: number | null, columns: readonly EncodedColumn[]) {
  const found = column === null ? undefined : columns[column];
  if (column === null || found === undefined) return { index: -1, mean: 0, inverse: 0 };
  return { index: column, mean: found.mean, inverse: 1 / found.sd };
}
