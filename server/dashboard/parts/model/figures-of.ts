import type { Json, Model } from "../../wire.ts";

/** A tenth of the held-out rows: what was stated on average, and what came. */
export interface Tenth {
  readonly rows: number;
  readonly stated: number;
  readonly observed: number;
}

/** What training measured, as far as it did: figures that a target or a learner does not have are undefined. */
export interface Figures {
  readonly roc_auc?: number;
  readonly log_loss?: number;
  readonly base_rate_log_loss?: number;
  readonly ece?: number;
  readonly precision?: number;
  readonly recall?: number;
  readonly uplift_top_half?: number | null;
  readonly uplift_bottom_half?: number | null;
  readonly calibration_curve?: readonly Tenth[];
  readonly probability_quantiles?: readonly number[];
  /** Of the data: moments learned from, the share of them that reached the objective, and those kept to measure. */
  readonly rows?: number;
  readonly positive_rate?: number;
  readonly test_rows?: number;
}

export function figuresOf({ metrics, dataset_profile }: Pick<Model, "metrics" | "dataset_profile">): Figures {
  return { ...fieldsOf(metrics), ...fieldsOf(dataset_profile) } as Figures;
}

function fieldsOf(value: Json): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};
}
