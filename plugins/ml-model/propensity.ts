import type { Artifact } from "../../core/model/artifact.ts";
import { calibrator } from "../../core/model/calibration.ts";
import { confidenceOf } from "../../core/model/confidence.ts";
import { createScorer, type Score } from "../../core/model/score.ts";
import { type Threshold, thresholdAtProbability, thresholdAtShare } from "../../core/model/threshold.ts";
import type { Host } from "../../core/strategy.ts";
import type { Chooser } from "./choice.ts";
import type { Config } from "./config.ts";
import { explainScore } from "./explain-score.ts";

/** P(objective | user) against a threshold: the first arm at or above it, the last one below. */
export function propensityChooser(config: Config, host: Host, artifact: Artifact, arms: readonly string[]): Chooser {
  const scorer = createScorer(artifact);
  const threshold = thresholdOf(config, artifact);
  const calibrate = calibrator(artifact.calibration);
  const wanted = config.min_confidence ?? host.objective?.min_confidence ?? 0.9;
  const below = arms.length - 1;
  const sideOf = ({ raw }: Score) => arms[raw >= threshold.raw ? 0 : below] as string;
  let last: Score | undefined;
  return {
    uses_profile: scorer.uses_profile,
    choose(ask, choice) {
      const score = scorer.score(ask.user, ask.profile, ask.now);
      last = score;
      if (score.blank) {
        choice.cause = "missing_features";
        choice.score = undefined;
        choice.threshold = undefined;
        choice.confidence = undefined;
        return;
      }
      const confidence = confidenceOf(score.log_odds, score.error, threshold.log_odds);
      choice.arm = score.raw >= threshold.raw ? 0 : below;
      choice.score = score.probability;
      choice.threshold = threshold.probability;
      choice.confidence = confidence;
      if (confidence < wanted) choice.cause = "low_confidence";
    },
    explain(ask, { score = Number.NaN, confidence = Number.NaN }) {
      if (last === undefined || last.blank)
        return {
          detail: `The user has no value of ${scorer.attributes.join(", ")} that the model learned from`,
          evidence: {},
        };
      const { log_odds, error } = last;
      const side = log_odds >= threshold.log_odds ? "reaches" : "is below";
      return {
        detail: `The score ${score.toFixed(4)} ${side} the threshold ${threshold.probability.toFixed(4)}, with confidence ${confidence.toFixed(3)} (${wanted} wanted)`,
        evidence: {
          mode: "propensity",
          score,
          threshold: threshold.probability,
          log_odds,
          log_odds_error: error,
          population: artifact.score_quantiles.map(calibrate),
          ...explainScore(scorer, () => sideOf(scorer.score(ask.user, ask.profile, ask.now))),
        },
      };
    },
  };
}

function thresholdOf(config: Config, artifact: Artifact): Threshold {
  switch (config.threshold_mode) {
    case "fixed":
      return thresholdAtProbability(artifact, config.threshold_value);
    case "match_rollout":
      return thresholdAtShare(artifact, config.share);
    case "maximize_f1":
      return thresholdAtProbability(artifact, artifact.best_threshold_by_f1);
  }
}
