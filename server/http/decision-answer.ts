import { z } from "@hono/zod-openapi";
import { type Decision, FALLBACK_CAUSES } from "../../core/decision/decision.ts";
import { Json } from "../../core/json.ts";
import type { DecisionKind, Observed } from "../services.ts";

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
    fallback: z.object({ from: z.string(), cause: z.enum(FALLBACK_CAUSES) }).nullable(),
    feature_version: z.int().nullable(),
    bucket: z.int().nullable(),
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
    fallback: decision.fallback,
    feature_version: decision.feature_version,
    bucket: decision.bucket,
    decision_id: decisionId,
    // Left out of the JSON unless it was asked for.
    trace: decision.trace as DecisionAnswer["trace"],
  };
}

/**
 * `JSON.stringify(decisionAnswer(...))`. What a kind of decisions has in common is written once and kept with the kind: of an answer's 19
 * fields most decisions change three.
 */
export function decisionText(decision: Decision, { id, kind }: Observed): string {
  let common = commons.get(kind);
  if (common === undefined || !isOfOne(common.of, decision)) {
    common = commonOf(decision);
    commons.set(kind, common);
  }
  if (!isAlike(common.of, decision)) return JSON.stringify(decisionAnswer(decision, id));
  return `${common.before}${userText(decision.user_id)}${common.after}${decision.bucket},"decision_id":"${id}"}`;
}

interface Common {
  readonly of: Decision;
  /** Up to the user's id, and from there to the bucket. */
  readonly before: string;
  readonly after: string;
}

const commons = new WeakMap<DecisionKind, Common>();

/** A feature that was deleted and made again has had its versions before; what does not exist is of one kind. */
function isOfOne(a: Decision, b: Decision): boolean {
  return a.value === b.value && a.enabled === b.enabled && a.feature_key === b.feature_key;
}

/** A kind leaves open what a model said. */
function isAlike(a: Decision, b: Decision): boolean {
  return (
    a.score === b.score &&
    a.threshold === b.threshold &&
    a.confidence === b.confidence &&
    a.probability === b.probability &&
    b.trace === undefined
  );
}

function commonOf(of: Decision): Common {
  const { user_id: _, bucket: __, decision_id: ___, trace: ____, feature_key, ...shared } = decisionAnswer(of, "");
  const after = JSON.stringify(shared).slice(1, -1);
  return { of, before: `{"feature_key":${JSON.stringify(feature_key)},"user_id":`, after: `,${after},"bucket":` };
}

let [lastUser, lastText]: [string | null, string] = [null, "null"];

/** A batch asks about one user again and again. */
function userText(userId: string | null): string {
  if (userId !== lastUser) [lastUser, lastText] = [userId, JSON.stringify(userId)];
  return lastText;
}
