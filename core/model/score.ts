import type { Profile } from "../event/profile.ts";
import type { Artifact } from "./artifact.ts";
import { calibrator } from "./calibration.ts";
import { type Contributions, contributionsOf } from "./contributions.ts";
import { createPredictor } from "./create-predictor.ts";
import type { EncodedFeature } from "./encoding.ts";
import type { Scalar } from "./feature-row.ts";
import { normalCdf } from "./normal-cdf.ts";
import { createUserColumns } from "./user-columns.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** A model compiled for serving: straight from the user's attributes and profile, the same numbers as row, encoding and fit. */
export interface Scorer {
  /** True when the model looks at the user's events, so a profile is needed. */
  readonly uses_profile: boolean;
  /** Names of the attributes the model looks at. */
  readonly attributes: readonly string[];
  /** What the model looks at, and the raw values that the user last scored had there. */
  readonly features: readonly EncodedFeature[];
  readonly values: readonly Scalar[];
  /** Scores a user, as a model of propensity does. The answer is one object, written over by the next call. */
  score(attributes: Attributes, profile: Profile | undefined, at: number): Score;
  /** Scores a user under every arm, as a model of uplift does. The answer is one object, written over by the next call. */
  scoreArms(attributes: Attributes, profile: Profile | undefined, at: number): ArmScores;
  /**
   * What the last scored user's features added: to the log odds after `score`, to their difference between the best arm and
   * the safe one after `scoreArms`.
   */
  contributions(limit: number): Contributions;
  /** From now on takes the feature at this index for having this value, whatever users hold; null: takes users as they are. */
  assume(feature: number | null, value: Scalar): void;
}

export interface Score {
  /** The learner's raw score. */
  raw: number;
  /** Calibrated, 0..1. */
  probability: number;
  /** The raw score as log odds, and their standard error. */
  log_odds: number;
  error: number;
  /** True when none of the attributes the model looks at said something, and it never learned from such a row. */
  blank: boolean;
}

export interface ArmScores {
  /** Expected outcomes by arm, calibrated, 0..1; arm 0 is the safe one. */
  readonly probabilities: Float64Array;
  /** The raw scores as log odds, by arm. */
  readonly log_odds: Float64Array;
  /** The arm that looks best among all but the safe one. */
  best: number;
  /** P(best is better than safe by more than the margin), 0..1. */
  confidence: number;
  blank: boolean;
}

export interface ScorerOptions {
  /** Which way the objective is to go. Default increase. */
  readonly direction?: "increase" | "decrease" | undefined;
  /** Effect, in the outcome's own 0..1, that the best arm must exceed. Default 0. */
  readonly margin?: number | undefined;
  /** Arms that may be the best. Default: all but the safe one. */
  readonly candidates?: readonly number[] | undefined;
}

export function createScorer(artifact: Artifact, options: ScorerOptions = {}): Scorer {
  const { direction = "increase", margin = 0 } = options;
  const { encoding, model } = artifact;
  const columns = createUserColumns(encoding);
  const { uses_profile, attributes, x, values } = columns;
  const predictor = createPredictor(model);
  const probabilityOf = calibrator(artifact.calibration);
  const score: Score = { raw: 0, probability: 0, log_odds: 0, error: 0, blank: false };
  const count = artifact.arms?.length ?? 1;
  const candidates = options.candidates ?? Array.from({ length: count - 1 }, (_, i) => i + 1);
  const arms: ArmScores = {
    probabilities: new Float64Array(count),
    log_odds: new Float64Array(count),
    best: 0,
    confidence: 0,
    blank: false,
  };
  const sign = direction === "increase" ? 1 : -1;
  let scoredArms = false;
  return {
    uses_profile,
    attributes,
    features: encoding.features,
    values,
    assume: columns.assume,
    score(user, profile, at) {
      scoredArms = false;
      score.blank = columns.read(user, profile, at);
      score.raw = predictor.raw(x, 0, 0);
      score.probability = probabilityOf(score.raw);
      score.log_odds = predictor.logOdds(score.raw);
      score.error = predictor.error(x, 0, score.raw, 0);
      return score;
    },
    scoreArms(user, profile, at) {
      scoredArms = true;
      const { probabilities, log_odds } = arms;
      arms.blank = columns.read(user, profile, at);
      for (let arm = 0; arm < count; arm++) {
        const raw = predictor.raw(x, 0, arm);
        probabilities[arm] = probabilityOf(raw);
        log_odds[arm] = predictor.logOdds(raw);
      }
      let best = candidates[0] ?? 0;
      for (const arm of candidates) if (sign * ((log_odds[arm] as number) - (log_odds[best] as number)) > 0) best = arm;
      arms.best = best;
      const effect = sign * ((log_odds[best] as number) - (log_odds[0] as number));
      const wanted = marginInLogOdds(probabilities[0] as number, sign * margin);
      const beyond = effect - wanted;
      arms.confidence = beyond === 0 ? 0.5 : normalCdf(beyond / predictor.differenceError(x, 0, best, 0));
      return arms;
    },
    contributions(limit) {
      const [arm, against] = scoredArms ? [arms.best, 0] : [0, null];
      const found = contributionsOf(artifact, predictor, x, arm, against);
      return { ...found, items: found.items.slice(0, limit) };
    },
  };
}

/** How far the log odds of the safe arm's outcome are from what they would be with the margin; infinite when it cannot be. */
function marginInLogOdds(safe: number, margin: number): number {
  if (margin === 0) return 0;
  const wanted = safe + margin;
  if (wanted <= 0 || wanted >= 1) return Number.POSITIVE_INFINITY;
  return Math.abs(Math.log(wanted / (1 - wanted)) - Math.log(safe / (1 - safe)));
}
