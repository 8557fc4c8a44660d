import type { Pmf } from "../engine/distribution.ts";
import type { FeatureRow } from "../model/feature-row.ts";

/** A stored decision whose outcome is known: what replay and the promotion gate learn from. */
export interface LoggedRow {
  /** Whose decision it was: the user. Rows of one unit are one observation. */
  readonly unit: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As served. */
  readonly row: FeatureRow;
  readonly variant: string;
  /** With which the served variant was drawn. */
  readonly probability: number;
  /** Of every variant that might have been drawn. */
  readonly probabilities: Pmf;
  /** 0..1: whether the objective was reached, or its value as a share of the cap. */
  readonly reward: number;
  /** 0 or 1 a guardrail of the objective, in its order. */
  readonly guardrails: readonly number[];
}
