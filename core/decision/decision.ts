import type { Json } from "../json.ts";

/** OpenFeature's resolution reasons, as far as this server uses them. */
export type Reason = "STATIC" | "DEFAULT" | "TARGETING_MATCH" | "SPLIT" | "DISABLED" | "STALE" | "ERROR";

/** Why a step that should have decided did not. A closed list: stored, traced and counted under these names. */
export const FALLBACK_CAUSES = [
  "no_model",
  "stale_model",
  "drifted_model",
  "low_confidence",
  "missing_features",
  "timeout",
  "error",
  "open_circuit",
  "invalid_verdict",
] as const;
export type FallbackCause = (typeof FALLBACK_CAUSES)[number];

/** `from` is the id of the first step that failed to decide. */
export interface Fallback {
  readonly from: string;
  readonly cause: FallbackCause;
}

/** The engine's answer for one feature and one user. Every exit of the engine makes exactly one of these. */
export interface Decision {
  readonly feature_key: string;
  readonly user_id: string | null;
  /** True when the variant served is not the feature's off variant. */
  readonly enabled: boolean;
  readonly variant: string | null;
  readonly value: Json;
  /** feature_not_found, feature_disabled, experiment, rule, ml, bandit, holdout, rollout, fallback, or a plugin's own source. */
  readonly decision_source: string;
  readonly reason: Reason;
  /** Id of the step that decided; null when none did. */
  readonly step: string | null;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly threshold_mode: string | null;
  /** P(the score lies on the side of the threshold it seems to lie on), 0..1. Not the score. */
  readonly confidence: number | null;
  /** Probability with which this variant was drawn, 0..1, when it was drawn. */
  readonly probability: number | null;
  readonly model_version: string | null;
  /** Bucket of the deciding split, 0..99,999. */
  readonly bucket: number | null;
  readonly fallback: Fallback | null;
  readonly experiment: ExperimentAssignment | null;
  readonly feature_version: number | null;
  readonly trace?: Trace;
}

export interface ExperimentAssignment {
  readonly experiment_id: number;
  readonly experiment_name: string;
  /** The arm's name: A, B, ... */
  readonly variant: string;
}

/** What `explain` returns: every step in order, whether it was reached or not. */
export interface Trace {
  readonly steps: readonly StepTrace[];
}

export interface StepTrace {
  readonly id: string;
  readonly strategy: string;
  readonly outcome: "decided" | "abstained" | "failed" | "skipped" | "unreached";
  /** For failed: a fallback cause. For abstained: "no_match". */
  readonly cause?: FallbackCause | "no_match";
  /** In words: what was tried and what was found. */
  readonly detail?: string;
  readonly variant?: string;
  readonly when?: ConditionTrace;
  /** What the strategy looked at: bucket, score, threshold, rules ... */
  readonly evidence?: Json;
  /** For unreached: what it would have said. Asked for the trace alone; nothing is counted or remembered. */
  readonly would?: Omit<StepTrace, "id" | "strategy" | "would">;
}

/** One condition with the user's value and the answer. `missing` means no (no attribute, segment or feature of that name). */
export interface ConditionTrace {
  readonly condition: "all" | "any" | "not" | "segment" | "feature" | "gate" | "attribute" | "always" | "never";
  readonly result: "yes" | "no" | "missing";
  readonly attribute?: string;
  readonly op?: string;
  readonly expected?: Json;
  readonly found?: Json;
  readonly segment?: string;
  readonly feature?: string;
  readonly bucket?: number;
  readonly percentage?: number;
  /** What stands in the way, in words: an operator whose plugin is gone. */
  readonly detail?: string;
  readonly children?: readonly ConditionTrace[];
}
