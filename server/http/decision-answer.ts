import { z } from "@hono/zod-openapi";
import { type Decision, FALLBACK_CAUSES } from "../../core/decision/decision.ts";
import { Json } from "../../core/json.ts";

/** What POST /evaluate answers: the base contract's fields first, then ours. */
export const DecisionAnswer = z
  .object({
    feature_key: z.string(),
    user_id: z.string().nullable(),
    enabled: z.boolean().describe("True when the variant served is not the feature's off variant"),
    decision_source: z
      .string()
      .describe(
        "feature_not_found, feature_disabled, experiment, rule, ml, bandit, holdout, rollout, fallback, or a plugin's own",
      ),
    score: z.number().nullable(),
    threshold: z.number().nullable(),
    threshold_mode: z.string().nullable(),
    experiment: z.object({ experiment_id: z.int(), experiment_name: z.string(), variant: z.string() }).nullable(),
    model_version: z.string().nullable(),
    variant: z.string().nullable(),
    value: Json,
    reason: z.enum(["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "STALE", "ERROR"]),
    step: z.string().nullable().describe("Id of the step that decided"),
    confidence: z.number().nullable(),
    probability: z.number().nullable(),
    bucket: z.int().nullable(),
    fallback: z.object({ from: z.string(), cause: z.enum(FALLBACK_CAUSES) }).nullable(),
    feature_version: z.int().nullable(),
    decision_id: z.string(),
    trace: z
      .object({ steps: z.array(z.looseObject({ id: z.string(), strategy: z.string(), outcome: z.string() })) })
      .optional()
      .describe("With `explain`: every step, each condition with the user's value, the bucket, the score"),
  })
  .meta({ id: "Decision" });
export type DecisionAnswer = z.infer<typeof DecisionAnswer>;

export function decisionAnswer(decision: Decision, decisionId: string): DecisionAnswer {
  return {
    feature_key: decision.feature_key,
    user_id: decision.user_id,
    enabled: decision.enabled,
    decision_source: decision.decision_source,
    score: decision.score,
    threshold: decision.threshold,
    threshold_mode: decision.threshold_mode,
    experiment: decision.experiment,
    model_version: decision.model_version,
    variant: decision.variant,
    value: decision.value,
    reason: decision.reason,
    step: decision.step,
    confidence: decision.confidence,
    probability: decision.probability,
    bucket: decision.bucket,
    fallback: decision.fallback,
    feature_version: decision.feature_version,
    decision_id: decisionId,
    // Left out of the JSON unless it was asked for.
    trace: decision.trace as DecisionAnswer["trace"],
  };
}
