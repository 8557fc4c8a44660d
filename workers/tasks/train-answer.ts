import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";

/** The contract's answer of POST /train: the model as it was stored, and for which share of the model's users it decides from now on. */
export function trainAnswer(model: Model): Json {
  return {
    status: "ready",
    feature_key: model.feature_key,
    model_name: model.learner,
    model_version: model.version,
    trained_at: model.trained_at,
    artifact_path: `/models/${model.version}`,
    metrics: model.metrics,
    process: model.process,
    promoted: model.traffic > 0,
    traffic: model.traffic,
    verdict: model.verdict,
  };
}
