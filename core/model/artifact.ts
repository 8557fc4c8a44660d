import { z } from "zod";
import type { Json } from "../json.ts";
import { Blind } from "./blind-variance.ts";
import { Calibration, Platt } from "./calibration.ts";
import { Encoding } from "./encoding.ts";
import { RidgeModel } from "./ridge.ts";
import { TreesModel } from "./tree-predictor.ts";

/** Version of the artifact's own shape. Models of any other are stale. */
export const ARTIFACT_FORMAT = 2;

const Finite = z.number();
const Index = z.int().nonnegative();

const Logistic = z.object({
  learner: z.literal("logistic"),
  /** How many arms it tells apart; 1: none. */
  arms: z.int().positive(),
  /** Columns of the encoding whose effect may differ between arms, ascending. */
  interactions: z.array(Index),
  /** In the order of logistic-design.ts: columns, then each arm's own and its interactions. */
  coefficients: z.array(Finite),
  intercept: Finite,
  l2: Finite,
  l2_interactions: Finite,
  /** Laplace covariance of (coefficients, intercept): the lower triangle, row after row. */
  covariance: z.array(Finite),
});
export type LogisticModel = z.infer<typeof Logistic>;

/** A support vector machine over vectors that are kept elsewhere. */
const Machine = z.object({
  bias: Finite,
  /** Indices of its vectors. */
  vectors: z.array(Index),
  /** Label times alpha, one per vector. */
  weights: z.array(Finite),
});

const Svm = z.object({
  learner: z.literal("svm"),
  arms: z.int().positive(),
  sigma: Finite.positive(),
  /** Support vectors of all machines: encoded rows of the training data, and their arms. */
  vectors: z.array(z.array(Finite)),
  vector_arms: z.array(Index),
  main: Machine,
  /** Fitted on parts of the rows: their spread is the error. */
  bags: z.array(Machine).min(2),
  /** Rows that the main machine, and each of the bags, was fitted on. */
  rows: z.int().positive(),
  bag_rows: z.int().positive(),
  blind: Blind,
  /** In words: that this model holds rows of its training data, and how many. */
  keeps: z.string(),
  /** Platt scaling, of which the confidence is computed, whatever calibration serves the score. */
  scaling: Platt,
});
export type SvmModel = z.infer<typeof Svm>;

/** Everything needed to score a user. JSON, never code; numbers survive the database exactly. */
export const Artifact = z.object({
  format: z.literal(ARTIFACT_FORMAT),
  /** FEATURE_SCHEMA the rows were built with. */
  feature_schema: z.int(),
  encoding: Encoding,
  /** propensity: P(objective | user). uplift: the outcome under each arm. */
  target: z.enum(["propensity", "uplift"]),
  /** The variants that were learned about, the safe one first; null for propensity. */
  arms: z.array(z.string()).min(2).nullable(),
  /** Scores are shares of it, where the outcome is a number; null: they are probabilities. */
  value_cap: Finite.positive().nullable(),
  model: z.discriminatedUnion("learner", [Logistic, TreesModel, Svm, RidgeModel]),
  /** From the raw score to what is expected, the same for all arms. */
  calibration: Calibration,
  /** Probability with the best F1 on the calibration slice. */
  best_threshold_by_f1: Finite,
  /** Raw scores (of the safe arm) at evenly spaced quantiles 0..1 of rows that were not trained on. */
  score_quantiles: z.array(Finite).min(2),
});
export type Artifact = z.infer<typeof Artifact>;

/** JSON with sorted keys and no spaces: the same text whatever order a database returns keys in. What a model's hash is of. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}
