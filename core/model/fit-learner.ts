import type { Artifact, LogisticModel } from "./artifact.ts";
import { fitTrees } from "./boost.ts";
import { type Calibration, calibrator, chooseCalibration, fitPlatt } from "./calibration.ts";
import { createPredictor } from "./create-predictor.ts";
import { fitBestLogistic } from "./logistic.ts";
import { bestThresholdByF1, probabilityMetrics, thresholdMetrics } from "./metrics.ts";
import type { Learner } from "./model.ts";
import type { Predictor } from "./predictor.ts";
import type { Problem } from "./problem.ts";
import { fitRidge } from "./ridge.ts";
import { fitSvm } from "./svm.ts";

/** One slice of the data as learners see it. */
export interface Slice extends Problem {
  /** Whether the objective was reached: y, where the outcome is not a number of its own. */
  readonly labels: Uint8Array;
  /** Whose moment each row is. */
  readonly units: Uint32Array;
}

export interface Slices {
  readonly train: Slice;
  readonly calibration: Slice;
  readonly validation: Slice;
}

/** A learner fitted on the train slice, calibrated on the calibration slice and measured on the validation slice. */
export interface FittedLearner {
  readonly model: Artifact["model"];
  readonly calibration: Calibration;
  readonly best_threshold_by_f1: number;
  /** Of the arms served. */
  readonly raw: { readonly calibration: Float64Array; readonly validation: Float64Array };
  /** Of the arms served, on the validation slice. */
  readonly probabilities: Float64Array;
  readonly metrics: ReturnType<typeof measure>;
}

export interface FitOptions {
  readonly seed: number;
  /** Called with the share done, 0..1. */
  readonly onProgress: (progress: number) => void;
}

/** @throws Error when the learner cannot be fitted on these data */
export function fitLearner(learner: Learner, slices: Slices, options: FitOptions): FittedLearner {
  const { calibration: held, validation } = slices;
  const unscaled = fitModel(learner, slices.train, options);
  const predictor = createPredictor(unscaled);
  const raw = { calibration: rawScores(predictor, held), validation: rawScores(predictor, validation) };
  const calibration = chooseCalibration(raw.calibration, held.y, {
    log_odds: learner === "logistic" || learner === "trees",
  });
  const probabilityOf = calibrator(calibration);
  const best_threshold_by_f1 = bestThresholdByF1(held.labels, raw.calibration.map(probabilityOf));
  const probabilities = raw.validation.map(probabilityOf);
  return {
    model: unscaled.learner === "svm" ? { ...unscaled, scaling: fitPlatt(raw.calibration, held.y) } : unscaled,
    calibration,
    best_threshold_by_f1,
    raw,
    probabilities,
    metrics: measure(validation, probabilities, best_threshold_by_f1),
  };
}

/** What the scaling of a support vector machine is until its raw scores are known, which do not depend on it. */
const UNSCALED = { method: "platt", a: -1, b: 0, covariance: [0, 0, 0] } as const;

function fitModel(learner: Learner, train: Slice, { seed, onProgress }: FitOptions): Artifact["model"] {
  switch (learner) {
    case "logistic":
      return logisticModel(train, seed);
    case "trees":
      return fitTrees(train, { seed, units: Int32Array.from(train.units), onProgress });
    case "svm":
      return { ...fitSvm(train, seed), scaling: { ...UNSCALED, covariance: [...UNSCALED.covariance] } };
    case "ridge":
      return fitRidge(train);
  }
}

function logisticModel(problem: Problem, seed: number): LogisticModel {
  const { intercept, coefficients, l2, l2_interactions, covariance } = fitBestLogistic(problem, seed);
  const size = coefficients.length + 1;
  const packed: number[] = [];
  for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) packed.push(covariance[i * size + j] as number);
  return {
    learner: "logistic",
    arms: problem.arms?.count ?? 1,
    interactions: [...(problem.arms?.interactions ?? [])],
    coefficients: [...coefficients],
    intercept,
    l2,
    l2_interactions,
    covariance: packed,
  };
}

function rawScores(predictor: Predictor, { x, columns, y, arms }: Slice): Float64Array {
  return Float64Array.from(y, (_, i) => predictor.raw(x, i * columns, arms?.index[i] ?? 0));
}

/** All on the validation slice; yes and no at the threshold that was best on the calibration slice. */
function measure({ labels, y }: Slice, probabilities: Float64Array, best_threshold_by_f1: number) {
  return {
    ...thresholdMetrics(labels, probabilities, best_threshold_by_f1),
    best_threshold_by_f1,
    ...probabilityMetrics(labels, probabilities, y),
  };
}
