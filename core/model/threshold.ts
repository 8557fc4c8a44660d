import type { Artifact } from "./artifact.ts";
import { calibrator, interpolate, scoreAt } from "./calibration.ts";
import { createPredictor } from "./create-predictor.ts";

/** A decision threshold, as a raw score (what decides), as log odds and as a probability (what is told). */
export interface Threshold {
  readonly raw: number;
  readonly log_odds: number;
  readonly probability: number;
}

/** The threshold at a probability, 0..1: mapped back through the calibration, which only rises. */
export function thresholdAtProbability(artifact: Artifact, probability: number): Threshold {
  const raw = scoreAt(artifact.calibration, probability);
  return { raw, log_odds: createPredictor(artifact.model).logOdds(raw), probability };
}

/** The threshold above which the given share (0..1) of the users that were held out scores. */
export function thresholdAtShare(artifact: Artifact, share: number): Threshold {
  const quantiles = Float64Array.from(artifact.score_quantiles);
  const steps = quantiles.map((_, i) => i / (quantiles.length - 1));
  const raw =
    share >= 1
      ? Number.NEGATIVE_INFINITY
      : share <= 0
        ? Number.POSITIVE_INFINITY
        : interpolate(steps, quantiles, 1 - share);
  const probability = Number.isFinite(raw) ? calibrator(artifact.calibration)(raw) : raw > 0 ? 1 : 0;
  return { raw, log_odds: createPredictor(artifact.model).logOdds(raw), probability };
}
