import { z } from "@hono/zod-openapi";
import type { Decision } from "../../../core/decision/decision.ts";
import { Json } from "../../../core/json.ts";
import type { OfrepFailure } from "./answer-error.ts";

/** The keys OpenFeature's telemetry hooks know: context.id, set.id and version of the flag (appendix D). */
const Metadata = z
  .object({
    contextId: z.string().optional().describe("The targeting key"),
    flagSetId: z.string().describe("The environment"),
    version: z.string().describe("Of the flag; of the whole answer: the environment's revision"),
  })
  .meta({ id: "OfrepMetadata" });
export type OfrepMetadata = z.infer<typeof Metadata>;

/** A flag's value for this context. Without `value` the caller's own default is to be used. */
export const OfrepFlag = z
  .object({
    key: z.string(),
    reason: z.enum(["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "STALE"]),
    variant: z.string().optional(),
    value: Json.optional(),
    metadata: Metadata,
  })
  .meta({ id: "OfrepFlag" });
export type OfrepFlag = z.infer<typeof OfrepFlag>;

/** In OFREP's words. Where the engine serves no variant there is no value either. */
export function flagAnswer(decision: Decision, metadata: Omit<OfrepMetadata, "version">): OfrepFlag | OfrepFailure {
  const { feature_key: key, reason, variant, value } = decision;
  if (reason === "ERROR") return { key, ...failure(decision, metadata.flagSetId) };
  return {
    key,
    reason,
    ...(variant === null ? {} : { variant, value }),
    metadata: { ...metadata, version: String(decision.feature_version) },
  };
}

/** What a decision with reason ERROR is about, by its source. */
function failure({ feature_key, decision_source }: Decision, environment: string): Omit<OfrepFailure, "key"> {
  if (decision_source === "feature_not_found")
    return {
      errorCode: "FLAG_NOT_FOUND",
      errorDetails: `There is no feature "${feature_key}" in the environment ${environment}`,
    };
  if (decision_source === KEY_MISSING)
    return {
      errorCode: "TARGETING_KEY_MISSING",
      errorDetails: `"${feature_key}" is decided by user, and the context has no targetingKey; send one`,
    };
  return {
    errorCode: "GENERAL",
    errorDetails: `"${feature_key}" could not be decided; the cause is in the server's log`,
  };
}

/** The source of a decision that could not be made because nobody in particular was asked about. */
export const KEY_MISSING = "targeting_key_missing";
