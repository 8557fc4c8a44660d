import type { FallbackCause } from "../decision/decision.ts";
import { Artifact } from "./artifact.ts";
import { FEATURE_SCHEMA } from "./feature-row.ts";
import type { Model } from "./model.ts";
import { positivesOf, tooFewPositives } from "./positives.ts";

/** A model that may decide; or why it may not, for a step to abstain with. */
export type OpenedModel =
  | { readonly artifact: Artifact; readonly version: string; readonly trained: number }
  | { readonly cause: FallbackCause; readonly detail: string; readonly version?: string };

/** Checks all that can be told of a model before anybody asks: `trained` is in milliseconds since the epoch. Never throws. */
export function openModel(model: Model | undefined): OpenedModel {
  if (model === undefined) return { cause: "no_model", detail: "No model is live for this feature, nor a global one" };
  const { version, health, health_detail, health_cause } = model;
  if (health === "stopped") {
    const why = health_detail ?? "it no longer fits what it is asked about";
    return { cause: health_cause ?? "drifted_model", detail: `Model ${version} was stopped: ${why}`, version };
  }
  const { success, data: artifact } = Artifact.safeParse(model.artifact);
  if (!success)
    return {
      cause: "stale_model",
      detail: `Model ${version} is of a form this release cannot read: train again`,
      version,
    };
  if (artifact.feature_schema !== FEATURE_SCHEMA)
    return {
      cause: "stale_model",
      detail: `Model ${version} was trained on feature schema ${artifact.feature_schema}, this release has ${FEATURE_SCHEMA}: train again`,
      version,
    };
  const few = tooFewPositives(positivesOf(model));
  if (few !== null) return { cause: "stale_model", detail: `Model ${version} was ${few}: train again`, version };
  return { artifact, version, trained: Date.parse(model.trained_at) };
}
