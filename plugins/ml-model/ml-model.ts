/**
 * Lets the feature's trained model decide: users whose score reaches the threshold get `variant`, the others
 * `otherwise_variant`. Without a model that is fresh, of our feature schema, fed with what it needs and sure enough, it
 * abstains with the cause, and the next step decides.
 *
 *     { "threshold_mode": "fixed", "threshold_value": 0.2 }
 *     { "threshold_mode": "match_rollout", "share": 0.25, "min_confidence": 0.8 }
 */
import { z } from "zod";
import type { FallbackCause } from "../../core/decision/decision.ts";
import type { Json } from "../../core/json.ts";
import { Artifact } from "../../core/model/artifact.ts";
import { confidenceOf } from "../../core/model/confidence.ts";
import { FEATURE_SCHEMA } from "../../core/model/feature-row.ts";
import { createScorer, type Scorer } from "../../core/model/score.ts";
import { type Threshold, thresholdAtProbability, thresholdAtShare } from "../../core/model/threshold.ts";
import type { Ask, Evaluator, Host, Strategy, Verdict } from "../../core/strategy.ts";

const VariantName = z.string().min(1).max(100);

const Config = z.strictObject({
  /**
   * fixed: the calibrated probability `threshold_value`. match_rollout: whatever lets `share` of users pass.
   * maximize_f1: the probability with the best F1 when the model was calibrated.
   */
  threshold_mode: z.enum(["fixed", "match_rollout", "maximize_f1"]).default("fixed"),
  threshold_value: z.number().min(0).max(1).default(0.1),
  /** Share of users above the threshold, 0..1; only for match_rollout. */
  share: z.number().min(0).max(1).default(0.5),
  /** Served at or above the threshold. Default: `on` when the feature has it, else its first variant that is not off. */
  variant: VariantName.optional(),
  /** Served below. Default: the off variant. */
  otherwise_variant: VariantName.optional(),
  /** Below this probability of being on the right side of the threshold, the step abstains. 0..1. */
  min_confidence: z.number().min(0).max(1).default(0.9),
  /** A model older than this no longer decides. */
  max_age_seconds: z
    .number()
    .positive()
    .default(7 * 86_400),
});
type Config = z.infer<typeof Config>;

/** Features shown by explain. */
const SHOWN = 20;

export const strategy: Strategy<Config> = {
  id: "ml-model",
  contract: 1,
  summary: "Lets the model trained from the feature's events decide, where it is sure",
  source: "ml",
  config: Config,
  bounded: true,
  profile: true,
  variants: ({ variant, otherwise_variant }) => [variant, otherwise_variant].filter((name) => name !== undefined),
  prepare(config, host) {
    const { model } = host;
    if (model === undefined) return always("no_model", "No model is live for this feature, nor a global one");
    const version = model.version;
    const parsed = Artifact.safeParse(model.artifact);
    if (!parsed.success)
      return always("stale_model", `Model ${version} is of a form this release cannot read`, version);
    if (parsed.data.feature_schema !== FEATURE_SCHEMA)
      return always(
        "stale_model",
        `Model ${version} was trained on feature schema ${parsed.data.feature_schema}, this release has ${FEATURE_SCHEMA}: train again`,
        version,
      );
    return evaluator(config, host, parsed.data, { version, trained: Date.parse(model.trained_at) });
  },
};

function evaluator(
  config: Config,
  host: Host,
  artifact: Artifact,
  model: { version: string; trained: number },
): Evaluator {
  const scorer = createScorer(artifact);
  const threshold = thresholdOf(config, artifact);
  const above = config.variant ?? defaultVariant(host);
  const below = config.otherwise_variant ?? host.feature.off_variant;
  const stale = model.trained + config.max_age_seconds * 1000;
  const { min_confidence, threshold_mode, max_age_seconds } = config;
  const model_version = model.version;
  return (ask) => {
    if (ask.now > stale)
      return abstain(
        "stale_model",
        model_version,
        ask,
        () => `Model ${model_version} is older than ${max_age_seconds} s`,
      );
    if (scorer.uses_profile && ask.profile === undefined)
      return abstain(
        "missing_features",
        model_version,
        ask,
        () => "The user's events could not be read, and the model needs them",
      );
    const score = scorer.score(ask.user, ask.profile, ask.now);
    if (score.blank)
      return abstain(
        "missing_features",
        model_version,
        ask,
        () => `The user has none of ${scorer.attributes.join(", ")}`,
      );
    const confidence = confidenceOf(score.log_odds, score.error, threshold.log_odds);
    const variant = score.raw >= threshold.raw ? above : below;
    // Two plain literals and no spread: this is the hot path.
    const verdict: Verdict =
      confidence < min_confidence
        ? {
            abstain: "low_confidence",
            score: score.probability,
            threshold: threshold.probability,
            threshold_mode,
            confidence,
            model_version,
          }
        : {
            variant,
            score: score.probability,
            threshold: threshold.probability,
            threshold_mode,
            confidence,
            model_version,
          };
    return ask.explain ? { ...verdict, ...explain(scorer, score, threshold, confidence, min_confidence) } : verdict;
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

function defaultVariant({ feature }: Host): string {
  const others = feature.variants.filter((name) => name !== feature.off_variant);
  return others.find((name) => name === "on") ?? others[0] ?? feature.off_variant;
}

function explain(
  scorer: Scorer,
  score: { probability: number; log_odds: number; error: number },
  threshold: Threshold,
  confidence: number,
  min_confidence: number,
): { detail: string; evidence: Json } {
  const side = score.log_odds >= threshold.log_odds ? "reaches" : "is below";
  return {
    detail: `The score ${score.probability.toFixed(4)} ${side} the threshold ${threshold.probability.toFixed(4)}, with confidence ${confidence.toFixed(3)} (${min_confidence} wanted)`,
    evidence: {
      score: score.probability,
      threshold: threshold.probability,
      log_odds: score.log_odds,
      log_odds_error: score.error,
      contributions: scorer.contributions(SHOWN).map(({ feature, contribution }) => ({ feature, contribution })),
    },
  };
}

function always(cause: FallbackCause, detail: string, model_version?: string): Evaluator {
  const version = model_version === undefined ? {} : { model_version };
  const plain: Verdict = { abstain: cause, ...version };
  const told: Verdict = { abstain: cause, ...version, detail };
  return (ask) => (ask.explain ? told : plain);
}

function abstain(cause: FallbackCause, model_version: string, ask: Ask, detail: () => string): Verdict {
  return ask.explain ? { abstain: cause, model_version, detail: detail() } : { abstain: cause, model_version };
}
