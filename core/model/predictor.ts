import type { LogisticModel, SvmModel } from "./artifact.ts";

/** A fitted learner: encoded columns in, a raw score and its uncertainty out. Allocates nothing per call. */
export interface Predictor {
  /** The raw score of the columns that begin at `offset` of `x`. */
  raw(x: Float64Array, offset: number): number;
  /** The raw score as log odds, in which `error` is measured. Rising. */
  logOdds(raw: number): number;
  /** Standard error of the log odds. `x` holds the columns from 0. */
  error(x: Float64Array, raw: number): number;
}

export function createPredictor(model: UnscaledModel): Predictor {
  return model.learner === "logistic" ? logisticPredictor(model) : svmPredictor(model);
}

/** Before its scaling is known, a support vector machine has a raw score, but neither log odds nor error. */
type UnscaledModel = LogisticModel | (Omit<SvmModel, "scaling"> & Partial<Pick<SvmModel, "scaling">>);

function logisticPredictor(model: LogisticModel): Predictor {
  const { intercept } = model;
  const coefficients = Float64Array.from(model.coefficients);
  const columns = coefficients.length;
  const quadratic = Float64Array.from(model.covariance);
  // x' S x = sum_i x_i (S_ii x_i + 2 sum_{j<i} S_ij x_j): the doubling is done here, once.
  for (let i = 0, at = 0; i <= columns; i++)
    for (let j = 0; j <= i; j++, at++) if (j < i) (quadratic[at] as number) *= 2;
  return {
    raw(x, offset) {
      let z = intercept;
      for (let j = 0; j < columns; j++) z += (coefficients[j] as number) * (x[offset + j] as number);
      return z;
    },
    logOdds: (raw) => raw,
    error(x) {
      let at = 0;
      let variance = 0;
      for (let i = 0; i < columns; i++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += (quadratic[at++] as number) * (x[j] as number);
        variance += sum * (x[i] as number);
      }
      for (let j = 0; j < columns; j++) variance += (quadratic[at++] as number) * (x[j] as number);
      return Math.sqrt(Math.max(0, variance + (quadratic[at] as number)));
    },
  };
}

/**
 * The error is that of the Platt scaling alone: the machine itself is taken as given, so the confidence of its decisions is
 * overstated.
 */
function svmPredictor(model: UnscaledModel & { learner: "svm" }): Predictor {
  const columns = model.vectors[0]?.length ?? 0;
  const vectors = Float64Array.from(model.vectors.flat());
  const weights = Float64Array.from(model.weights);
  const shrink = -1 / (2 * model.sigma * model.sigma);
  const { a = -1, b = 0, covariance: [aa, ab, bb] = [0, 0, 0] } = model.scaling ?? {};
  return {
    raw(x, offset) {
      let score = model.bias;
      for (let i = 0, at = 0; i < weights.length; i++) {
        let distance = 0;
        for (let j = 0; j < columns; j++, at++) {
          const d = (x[offset + j] as number) - (vectors[at] as number);
          distance += d * d;
        }
        score += (weights[i] as number) * Math.exp(distance * shrink);
      }
      return score;
    },
    logOdds: (raw) => -(a * raw + b),
    error: (_, raw) => Math.sqrt(Math.max(0, raw * raw * aa + 2 * raw * ab + bb)),
  };
}
