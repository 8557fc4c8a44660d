import { FALLBACK_CAUSES, type Reason } from "../decision/decision.ts";
import type { Abstain, Decide } from "../strategy.ts";

const CAUSES: ReadonlySet<unknown> = new Set([...FALLBACK_CAUSES, "no_match"]);
const REASONS: ReadonlySet<unknown> = new Set<Reason>([
  "STATIC",
  "DEFAULT",
  "TARGETING_MATCH",
  "SPLIT",
  "DISABLED",
  "STALE",
  "ERROR",
]);

/** Why this is no verdict the engine can serve; undefined when it is one. May throw when the verdict's getters do. */
export function checkVerdict(verdict: unknown, variants: ReadonlyMap<string, unknown>): string | undefined {
  if (typeof verdict !== "object" || verdict === null) return `Answered ${shown(verdict)} instead of a verdict`;
  const { variant, reason, score, threshold, confidence, probability, bucket } = verdict as Decide;
  if (variant === undefined) {
    const { abstain } = verdict as unknown as Abstain;
    return CAUSES.has(abstain) ? undefined : `Abstained for ${shown(abstain)}, which is no known cause`;
  }
  if (!variants.has(variant)) return `Decided for ${shown(variant)}, which the feature does not declare`;
  if (reason !== undefined && !REASONS.has(reason)) return `Gave the reason ${shown(reason)}, which is unknown`;
  if (score !== undefined && !Number.isFinite(score)) return `Gave the score ${shown(score)}`;
  if (threshold !== undefined && !Number.isFinite(threshold)) return `Gave the threshold ${shown(threshold)}`;
  if (confidence !== undefined && !isShare(confidence)) return `Gave the confidence ${shown(confidence)}`;
  if (probability !== undefined && !isShare(probability)) return `Gave the probability ${shown(probability)}`;
  if (bucket !== undefined && !Number.isInteger(bucket)) return `Gave the bucket ${shown(bucket)}`;
  const { threshold_mode, model_version } = verdict as Decide;
  if (threshold_mode !== undefined && typeof threshold_mode !== "string")
    return "Gave a threshold_mode that is no text";
  if (model_version !== undefined && typeof model_version !== "string") return "Gave a model_version that is no text";
  return undefined;
}

function isShare(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function shown(value: unknown): string {
  return typeof value === "object" || typeof value === "function" ? typeof value : JSON.stringify(String(value));
}
