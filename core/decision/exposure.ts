import type { Json } from "../json.ts";
import type { Decision } from "./decision.ts";

/** A decision that is stored. */
export interface Exposure {
  readonly environment: string;
  readonly decision_id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly decision: Decision;
  /** What the experiment or the split bucketed by; the user id unless a step says otherwise. */
  readonly unit: string;
  /**
   * What a user like this one may have been served, by variant, over all draws (core/engine/distribution.ts); null when the
   * feature has no learning step, or when it is not known. Then nothing is learned from it.
   */
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** The raw feature row as served (see core/model/feature-row.ts); null when the feature has no learning step. */
  readonly features: Readonly<Record<string, Json>> | null;
}
