import type { Model } from "../../core/model/model.ts";
import type { TrainedModel } from "../../core/model/train.ts";

/** A live model as the store would give it back after this training. */
export function makeModel(
  { promote: _, ...trained }: TrainedModel,
  changes: Partial<Model> & Pick<Model, "version" | "feature_key" | "target" | "trained_at">,
): Model {
  return {
    ...trained,
    environment: "production",
    status: "live",
    job_id: null,
    traffic: 1,
    ramped_at: null,
    health: "fresh",
    health_detail: null,
    health_cause: null,
    checked_at: null,
    shadow: null,
    ...changes,
  };
}
