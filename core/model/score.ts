import type { Profile } from "../event/profile.ts";
import type { Artifact } from "./artifact.ts";
import { calibrator } from "./calibration.ts";
import { columnsOf, type EncodedFeature, rowEncoder } from "./encoding.ts";
import { attributeValue, type FeatureSource, measureOf, type Scalar, sourceOf, totalOf } from "./feature-row.ts";
import { createPredictor } from "./predictor.ts";

type Attributes = Readonly<Record<string, unknown>>;
type Total = ReturnType<typeof totalOf> | undefined;
type ReadProfile = (profile: Profile | undefined, total: Total, at: number) => Scalar;

/** A model compiled for serving: straight from the user's attributes and profile, the same numbers as row, encoding and fit. */
export interface Scorer {
  /** True when the model looks at the user's events, so a profile is needed. */
  readonly uses_profile: boolean;
  /** Names of the attributes the model looks at. */
  readonly attributes: readonly string[];
  /** Scores a user. The answer is one object, written over by the next call. */
  score(attributes: Attributes, profile: Profile | undefined, at: number): Score;
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
  const sources = encoding.features.map((feature) => sourceOf(feature.name));
  const uses_profile = sources.some((source) => source?.from === "profile");
  const usesTotal = sources.some((source) => source?.from === "profile" && source.event_type === null);
  const attributes = sources.flatMap((source) => (source?.from === "attribute" ? [source.attribute] : []));
  const attributeAt = sources.map((source) => (source?.from === "attribute" ? asKey(source.attribute) : undefined));
  const readers = sources.map(profileReader);
  const encode = rowEncoder(encoding);
  const predictor = createPredictor(model);
  const probabilityOf = calibrator(artifact.calibration);
  const mayBeBlank = attributes.length > 0 && !encoding.blank_attributes;
  const values: Scalar[] = new Array(sources.length).fill(null);
  const x = new Float64Array(encoding.columns.length);
  const score: Score = { raw: 0, probability: 0, log_odds: 0, error: 0, blank: false };
  return {
    uses_profile,
    attributes,
    score(user, profile, at) {
      const total = usesTotal && profile !== undefined ? totalOf(profile) : undefined;
      let present = 0;
      for (let i = 0; i < readers.length; i++) {
        const attribute = attributeAt[i];
        if (attribute === undefined) {
          values[i] = (readers[i] as ReadProfile)(profile, total, at);
          continue;
        }
        const value = attributeValue(user[attribute]);
        if (value !== null) present++;
        values[i] = value;
      }
      encode(values, x, 0);
      score.raw = predictor.raw(x, 0);
      score.probability = probabilityOf(score.raw);
      score.log_odds = predictor.logOdds(score.raw);
      score.error = predictor.error(x, score.raw);
      score.blank = mayBeBlank && present === 0;
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

/** The same text as engines keep property names: a lookup by a string cut out of another one costs three times as much. */
function asKey(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text;
}

function profileReader(source: FeatureSource | undefined): ReadProfile {
  if (source?.from !== "profile") return () => null;
  const { event_type, measure } = source;
  if (event_type === null)
    return (profile, total, at) => (profile === undefined ? null : measureOf(total, measure, at));
  return (profile, _, at) => {
    if (profile === undefined) return null;
    return measureOf(Object.hasOwn(profile, event_type) ? profile[event_type] : undefined, measure, at);
  };
}
