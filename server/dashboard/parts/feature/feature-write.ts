import type { Feature, Json } from "../../wire.ts";
import type { Step } from "./step.ts";

/** What decides: neither who changed it nor the buckets that the server works out. */
export function comparable({ enabled, variants, off_variant, steps, fallback_variant, objective }: Feature) {
  return { enabled, variants, off_variant, steps: steps.map(withoutRanges), fallback_variant, objective };
}

function withoutRanges(step: Step): Step {
  const { config } = step;
  if (step.strategy !== "hash-bucketing" || typeof config !== "object" || config === null) return step;
  const { arms, ...rest } = config as { arms?: readonly { variant: string; weight: number }[] };
  return {
    ...step,
    config: { ...rest, arms: (arms ?? []).map(({ variant, weight }) => ({ variant, weight })) } as Json,
  };
}

/** Steps say it all: the shorthand beside them would say it twice, and differently. */
export function writeOf(feature: Feature) {
  const { rollout_percentage, ml_enabled, ml_threshold_mode, ml_threshold_value, ...write } = feature;
  return write;
}
