import type { Profile } from "../event/profile.ts";
import type { Artifact } from "./artifact.ts";
import { calibrator } from "./calibration.ts";
import { createPredictor } from "./create-predictor.ts";
import { columnsOf, type EncodedFeature } from "./encoding.ts";
import { createUserColumns } from "./user-columns.ts";

/** A model compiled for serving: straight from the user's attributes and profile, the same numbers as row, encoding and fit. */
export interface Scorer {
  /** True when the model looks at the user's events, so a profile is needed. */
  readonly uses_profile: boolean;
  /** Names of the attributes the model looks at. */
  readonly attributes: readonly string[];
  /** Scores a user. The answer is one object, written over by the next call. */
  score(attributes: Readonly<Record<string, unknown>>, profile: Profile | undefined, at: number): Score;
  /** What the last scored user's features added to its log odds, largest first; empty for learners that do not add up. */
  contributions(limit: number): readonly { readonly feature: string; readonly contribution: number }[];
}

export interface Score {
  /** The learner's raw score. */
  raw: number;
  /** Calibrated, 0..1. */
  probability: number;
  /** The raw score as log odds, and their standard error. */
  log_odds: number;
  error: number;
  /** True when none of the attributes the model looks at was there, and it never learned from such a row. */
  blank: boolean;
}

export function createScorer(artifact: Artifact): Scorer {
  const { encoding, model } = artifact;
  const columns = createUserColumns(encoding);
  const { uses_profile, attributes, x } = columns;
  const predictor = createPredictor(model);
  const probabilityOf = calibrator(artifact.calibration);
  const score: Score = { raw: 0, probability: 0, log_odds: 0, error: 0, blank: false };
  return {
    uses_profile,
    attributes,
    score(user, profile, at) {
      score.blank = columns.read(user, profile, at);
      score.raw = predictor.raw(x, 0, 0);
      score.probability = probabilityOf(score.raw);
      score.log_odds = predictor.logOdds(score.raw);
      score.error = predictor.error(x, 0, score.raw, 0);
      return score;
    },
    contributions(limit) {
      if (model.learner !== "logistic") return [];
      const { coefficients } = model;
      const sum = (feature: EncodedFeature) =>
        columnsOf(feature).reduce((total, j) => total + (coefficients[j] as number) * (x[j] as number), 0);
      return encoding.features
        .map((feature) => ({ feature: feature.name, contribution: sum(feature) }))
        .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
        .slice(0, limit);
    },
  };
}
