import type { FeatureDefinition } from "./feature.ts";
import type { ThresholdMode } from "./feature-write.ts";

/** The base contract's view of a feature's steps. */
export interface Shorthand {
  /** Percent of units the step `rollout` serves something else than the off variant. 0 without one. */
  readonly rollout_percentage: number;
  readonly ml_enabled: boolean;
  readonly ml_threshold_mode: ThresholdMode;
  readonly ml_threshold_value: number;
}

export function shorthandOf(_definition: Pick<FeatureDefinition, "steps" | "off_variant">): Shorthand {
  throw new Error("Being written");
}
