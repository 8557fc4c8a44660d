import type { Scalar } from "../model/feature-row.ts";
import type { Fallback } from "./decision.ts";

/** A decision as it was stored: the first of a user, variant and reason on one UTC day. */
export interface StoredDecision {
  readonly decision_id: string;
  /** ISO. */
  readonly at: string;
  readonly feature_key: string;
  readonly feature_version: number;
  readonly user_id: string;
  readonly variant: string;
  readonly enabled: boolean;
  readonly decision_source: string;
  readonly reason: string;
  readonly step: string | null;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly confidence: number | null;
  readonly probability: number | null;
  readonly model_version: string | null;
  readonly fallback: Fallback | null;
  /** What the user was asked with, as far as it was kept; null: the feature does not learn, so nothing was. */
  readonly attributes: Readonly<Record<string, Scalar>> | null;
}

export interface StoredDecisions {
  /** Newest first. */
  list(
    environment: string,
    filter: {
      readonly decision_id?: string | undefined;
      readonly feature_key?: string | undefined;
      readonly user_id?: string | undefined;
    },
    limit: number,
  ): Promise<readonly StoredDecision[]>;
  /** ISO times of each feature's last stored decision; features without one are left out. */
  lastServed(environment: string, featureKeys: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
