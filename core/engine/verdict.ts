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

/**
 * The verdict's fields, each read once, and nothing else: what is checked is what is served, also when its getters change
 * their minds. Anything that is no object stays as it is. May throw when the verdict's getters do.
 */
export function ownVerdict(answered: unknown): unknown {
  if (typeof answered !== "object" || answered === null) return answered;
  const { variant, abstain, reason, bucket, probability, score, threshold } = answered as Partial<Decide & Abstain>;
  const { confidence, threshold_mode, model_version, evidence, detail, source } = answered as Partial<Decide & Abstain>;
  const figures = { bucket, probability, score, threshold, confidence, threshold_mode, model_version };
  return { variant, abstain, reason, source, ...figures, evidence, detail };
}

/** Why this is no verdict the engine can serve; undefined when it is one. May throw when the verdict's getters do. */
export function checkVerdict(verdict: unknown, variants: ReadonlyMap<string, unknown>): string | undefined {
  if (typeof verdict !== "object" || verdict === null) return `Answered ${shown(verdict)} instead of a verdict`;
  const wrong = wrongField(verdict as Decide, variants);
  return wrong === undefined ? undefined : explainField(verdict as Decide, wrong);
}

type Field = Exclude<keyof Decide, "evidence" | "detail"> | "abstain";

/** Small, with no text to build: it runs for every decision. */
function wrongField(verdict: Decide | Abstain, variants: ReadonlyMap<string, unknown>): Field | undefined {
  const { variant } = verdict as Decide;
  if (variant === undefined) {
    const { abstain } = verdict as Abstain;
    return abstain === "no_match" || CAUSES.has(abstain) ? undefined : "abstain";
  }
  const { reason, source, bucket, probability, score, threshold, confidence, threshold_mode, model_version } =
    verdict as Decide;
  if (!variants.has(variant)) return "variant";
  // SPLIT is what nearly every decision says; a set is slower than a comparison.
  if (reason !== undefined && reason !== "SPLIT" && !REASONS.has(reason)) return "reason";
  if (source !== undefined && (typeof source !== "string" || source === "")) return "source";
  if (bucket !== undefined && !Number.isInteger(bucket)) return "bucket";
  if (probability !== undefined && !isShare(probability)) return "probability";
  if (score !== undefined && !Number.isFinite(score)) return "score";
  if (threshold !== undefined && !Number.isFinite(threshold)) return "threshold";
  if (confidence !== undefined && !isShare(confidence)) return "confidence";
  if (threshold_mode !== undefined && typeof threshold_mode !== "string") return "threshold_mode";
  if (model_version !== undefined && typeof model_version !== "string") return "model_version";
  return undefined;
}

function isShare(value: number): boolean {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function explainField(verdict: Decide, field: Field): string {
  const value = shown((verdict as Partial<Record<Field, unknown>>)[field]);
  if (field === "variant") return `Decided for ${value}, which the feature does not declare`;
  if (field === "abstain") return `Neither decided nor abstained for a known cause: abstain is ${value}`;
  return `Answered with the ${field} ${value}`;
}

function shown(value: unknown): string {
  return typeof value === "object" || typeof value === "function" ? typeof value : JSON.stringify(String(value));
}
