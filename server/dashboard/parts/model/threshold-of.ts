import type { Feature, Json, Model } from "../../wire.ts";
import { percent } from "../../words.ts";

export interface Threshold {
  /** 0..1 */
  readonly value: number;
  /** "the threshold of its step, 20 %" */
  readonly words: string;
}

/** The score at which the feature's step serves the model's variant; undefined: it does not decide by a threshold. */
export function thresholdOf(
  { target, threshold }: Pick<Model, "target" | "threshold">,
  feature: Feature | undefined,
  quantiles: readonly number[],
): Threshold | undefined {
  if (target === "uplift") return undefined;
  const config = feature?.steps.find(({ strategy }) => strategy === "ml-model")?.config as Config | undefined;
  const { threshold_mode, threshold_value, share } = config ?? {};
  if (threshold_mode === "fixed" && typeof threshold_value === "number")
    return { value: threshold_value, words: `the threshold of its step, ${percent(threshold_value)}` };
  if (threshold_mode === "match_rollout" && typeof share === "number" && quantiles.length > 0) {
    const value = quantiles[Math.round((1 - share) * (quantiles.length - 1))] as number;
    return { value, words: `${percent(value)}, which its step chose to let ${percent(share)} pass` };
  }
  return threshold === null
    ? undefined
    : { value: threshold, words: `${percent(threshold)}, the threshold with the best F1` };
}

type Config = { readonly threshold_mode?: Json; readonly threshold_value?: Json; readonly share?: Json };
