import type { Attributes, Span } from "@opentelemetry/api";
import type { Decision } from "../../core/decision/decision.ts";
import type { Snapshot } from "../../core/engine/snapshot.ts";

/**
 * Adds a decision to the request's span as the event `feature_flag.evaluation`. Attributes under `feature_flag.` are those
 * of OpenTelemetry's semantic conventions (release candidate of August 2026), `adaptive.` is our own namespace.
 */
export function addDecisionEvent(
  span: Span,
  decision: Decision,
  about: { id: string; environment: string; snapshot: Snapshot },
): void {
  const attributes: Attributes = {
    "feature_flag.key": decision.feature_key,
    "feature_flag.result.reason": decision.reason.toLowerCase(),
    "feature_flag.provider.name": "adaptive-feature-flags",
    "feature_flag.set.id": about.environment,
    "adaptive.decision.id": about.id,
    "adaptive.decision.source": decision.decision_source,
  };
  const set = (name: string, value: string | number | null | undefined) => {
    if (value !== null && value !== undefined) attributes[name] = value;
  };
  set("feature_flag.result.variant", decision.variant);
  set("feature_flag.context.id", decision.user_id);
  set("feature_flag.version", decision.feature_version === null ? null : String(decision.feature_version));
  const steps = about.snapshot.features.get(decision.feature_key)?.steps;
  set("adaptive.step.id", decision.step);
  set("adaptive.step.strategy", steps?.find(({ id }) => id === decision.step)?.strategy);
  set("adaptive.model.version", decision.model_version);
  set("adaptive.model.score", decision.score);
  set("adaptive.decision.probability", decision.probability);
  set("adaptive.decision.confidence", decision.confidence);
  set("adaptive.fallback.from", decision.fallback?.from);
  set("adaptive.fallback.cause", decision.fallback?.cause);
  set("adaptive.experiment.id", decision.experiment?.experiment_id);
  set("adaptive.experiment.arm", decision.experiment?.variant);
  if (decision.reason === "ERROR") {
    const unknown = decision.decision_source === "feature_not_found";
    attributes["error.type"] = unknown ? "flag_not_found" : "general";
    attributes["feature_flag.error.message"] = unknown
      ? `There is no feature "${decision.feature_key}" in environment ${about.environment}`
      : `Feature "${decision.feature_key}" could not be evaluated`;
  }
  span.addEvent("feature_flag.evaluation", attributes);
}
