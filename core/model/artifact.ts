import { z } from "zod";
import type { Json } from "../json.ts";
import { Calibration, Platt } from "./calibration.ts";
import { Encoding } from "./encoding.ts";

/** Version of the artifact's own shape. */
export const ARTIFACT_FORMAT = 1;

const Finite = z.number();

/** Everything needed to score a user. JSON, never code; numbers survive the database exactly. */
export const Artifact = z.object({
  format: z.literal(ARTIFACT_FORMAT),
  /** FEATURE_SCHEMA the rows were built with. */
  feature_schema: z.int(),
  encoding: Encoding,
  model: z.discriminatedUnion("learner", [
    z.object({
      learner: z.literal("logistic"),
      intercept: Finite,
      /** One per column of the encoding. */
      coefficients: z.array(Finite),
      l2: Finite,
      /** Laplace covariance of (coefficients, intercept): the lower triangle, row after row. */
      covariance: z.array(Finite),
    }),
    z.object({
      learner: z.literal("svm"),
      sigma: Finite.positive(),
      bias: Finite,
      /** Support vectors: encoded rows of the training data. */
      vectors: z.array(z.array(Finite)),
      /** Label times alpha, one per support vector. */
      weights: z.array(Finite),
      /** In words: that this model holds rows of its training data, and how many. */
      keeps: z.string(),
      /** Platt scaling, of which the confidence is computed, whatever calibration serves the score. */
      scaling: Platt,
    }),
  ]),
  calibration: Calibration,
  /** Probability with the best F1 on the calibration slice. */
  best_threshold_by_f1: Finite,
  /** Raw scores at evenly spaced quantiles 0..1 of rows that were not trained on. */
  score_quantiles: z.array(Finite).min(2),
});
export type Artifact = z.infer<typeof Artifact>;
export type LogisticModel = Extract<Artifact["model"], { learner: "logistic" }>;
export type SvmModel = Extract<Artifact["model"], { learner: "svm" }>;

/** JSON with sorted keys and no spaces: the same text whatever order a database returns keys in. What a model's hash is of. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}
