import type { HoldoutCounts } from "./holdout-counts.ts";

/** What became of the users of the model group and of the holdout (server/postgres/lift.ts). */
export interface LiftStore {
  /** The outcomes of both groups, by users' first decisions in the period. */
  counts(question: LiftQuestion): Promise<HoldoutCounts>;
  /** Calls back with every held-out user whose window has passed; memory does not grow with them. */
  heldOut(question: LiftQuestion, found: (user: HeldOut) => void): Promise<void>;
  /** All stored decisions of the feature in the period. */
  decisions(question: LiftQuestion): Promise<readonly DecisionCount[]>;
}

/** Whose decisions are compared, when, and by what. */
export interface LiftQuestion {
  readonly environment: string;
  readonly feature_key: string;
  /** Ids of the steps that learn. */
  readonly steps: readonly string[];
  /** Milliseconds since the epoch: the period of the first decisions, [from, to]. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds. */
  readonly window: number;
  readonly grace: number;
  readonly event_types: readonly string[];
  /** A numeric outcome; null: whether an event came. */
  readonly value: { readonly property: string; readonly cap: number } | null;
  readonly guardrails: readonly { readonly event_types: readonly string[] }[];
}

/** A held-out user's variant and outcome. */
export interface HeldOut {
  readonly user_id: string;
  readonly variant: string;
  readonly outcome: number;
}

export interface DecisionCount {
  readonly decision_source: string;
  readonly fallback_cause: string | null;
  readonly decisions: number;
}
