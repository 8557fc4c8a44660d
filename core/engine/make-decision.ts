import type { Decision, Reason } from "../decision/decision.ts";
import type { Decide, User } from "../strategy.ts";
import type { EngineAsk } from "./ask.ts";
import type { CompiledArm } from "./compile-experiment.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import type { CompiledStep } from "./plan.ts";
import type { Sides } from "./quick-split.ts";
import type { Served } from "./served.ts";

// Every decision is written out whole: objects of one shape are what keeps those who read them quick.

/** No step decided: the feature is disabled, or everything fell through. */
export function plainDecision(
  feature: CompiledFeature,
  ask: EngineAsk,
  served: Served,
  source: string,
  reason: Reason,
): Decision {
  return {
    feature_key: feature.key,
    user_id: ask.userId,
    enabled: served.enabled,
    variant: served.variant,
    value: served.value,
    decision_source: source,
    reason: ask.stale ? "STALE" : reason,
    step: null,
    score: null,
    threshold: null,
    threshold_mode: null,
    confidence: null,
    probability: null,
    model_version: null,
    bucket: null,
    fallback: ask.fallback,
    experiment: null,
    feature_version: feature.version,
  };
}

export function stepDecision(
  feature: CompiledFeature,
  ask: EngineAsk,
  step: CompiledStep,
  verdict: Decide,
  served: Served,
): Decision {
  return {
    feature_key: feature.key,
    user_id: ask.userId,
    enabled: served.enabled,
    variant: served.variant,
    value: served.value,
    decision_source: verdict.source ?? step.source,
    reason: ask.stale ? "STALE" : (verdict.reason ?? "TARGETING_MATCH"),
    step: step.id,
    score: verdict.score ?? null,
    threshold: verdict.threshold ?? null,
    threshold_mode: verdict.threshold_mode ?? null,
    confidence: verdict.confidence ?? null,
    probability: verdict.probability ?? null,
    model_version: verdict.model_version ?? null,
    bucket: verdict.bucket ?? null,
    fallback: ask.fallback,
    experiment: null,
    feature_version: feature.version,
  };
}

export function quickDecision(
  feature: CompiledFeature,
  ask: EngineAsk,
  { source, reason, step }: Sides,
  served: Served,
  probability: number | null,
  bucket: number,
): Decision {
  return {
    feature_key: feature.key,
    user_id: ask.userId,
    enabled: served.enabled,
    variant: served.variant,
    value: served.value,
    decision_source: source,
    reason: ask.stale ? "STALE" : reason,
    step,
    score: null,
    threshold: null,
    threshold_mode: null,
    confidence: null,
    probability,
    model_version: null,
    bucket,
    fallback: ask.fallback,
    experiment: null,
    feature_version: feature.version,
  };
}

/** `bucket` is null when one arm has everyone. */
export function experimentDecision(
  feature: CompiledFeature,
  ask: EngineAsk,
  { served, assignment, probability }: CompiledArm,
  bucket: number | null,
): Decision {
  return {
    feature_key: feature.key,
    user_id: ask.userId,
    enabled: served.enabled,
    variant: served.variant,
    value: served.value,
    decision_source: "experiment",
    reason: ask.stale ? "STALE" : "SPLIT",
    step: null,
    score: null,
    threshold: null,
    threshold_mode: null,
    confidence: null,
    probability,
    model_version: null,
    bucket,
    fallback: null,
    experiment: assignment,
    feature_version: feature.version,
  };
}

export function notFound(featureKey: string, user: User): Decision {
  return {
    feature_key: featureKey,
    user_id: userIdOf(user),
    enabled: false,
    variant: null,
    value: null,
    decision_source: "feature_not_found",
    reason: "ERROR",
    step: null,
    score: null,
    threshold: null,
    threshold_mode: null,
    confidence: null,
    probability: null,
    model_version: null,
    bucket: null,
    fallback: null,
    experiment: null,
    feature_version: null,
  };
}

/** As units are read, but for the empty text; null when the user has none, or reading it throws. It is not inherited. */
export function userIdOf(user: User): string | null {
  try {
    const id: unknown = user.user_id;
    if (typeof id === "string") return id;
    return (typeof id === "number" && Number.isFinite(id)) || typeof id === "boolean" ? String(id) : null;
  } catch {
    return null;
  }
}
