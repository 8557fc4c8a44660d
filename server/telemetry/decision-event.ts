import { type Attributes, SeverityNumber } from "@opentelemetry/api";
import type { Decision } from "../../core/decision/decision.ts";
import type { Snapshot } from "../../core/engine/snapshot.ts";
import { recordingSpan, tracing } from "./tracing.ts";

/** OpenTelemetry's name for it, of log records as of span events. */
const EVENT = "feature_flag.evaluation";

export interface DecisionContext {
  /** The decision's. */
  readonly id: string;
  readonly environment: string;
  readonly snapshot: Snapshot;
}

/**
 * Tells a decision as the event `feature_flag.evaluation`: to the active span when it records, and as a log record of its own
 * when those are exported (`tracing.records`). Costs nothing when neither is so.
 */
export function emitDecision(decision: Decision, about: DecisionContext): void {
  const span = recordingSpan();
  const logged = tracing.records === "all" || (tracing.records === "sampled" && span !== undefined);
  if (span === undefined && !logged) return;
  const attributes = decisionAttributes(decision, about);
  span?.addEvent(EVENT, attributes);
  if (!logged) return;
  const severityNumber = decision.reason === "ERROR" ? SeverityNumber.WARN : SeverityNumber.INFO;
  tracing.logger?.emit({ eventName: EVENT, severityNumber, attributes });
}

/**
 * Attributes under `feature_flag.` are those of OpenTelemetry's semantic conventions (release candidate of August 2026),
 * `adaptive.` is our own namespace.
 */
function decisionAttributes(decision: Decision, { id, environment, snapshot }: DecisionContext): Attributes {
  const attributes: Attributes = {
    "feature_flag.key": decision.feature_key,
    "feature_flag.result.reason": decision.reason.toLowerCase(),
    "feature_flag.provider.name": "adaptive-feature-flags",
    "feature_flag.set.id": environment,
    "adaptive.decision.id": id,
    "adaptive.decision.source": decision.decision_source,
  };
  const set = (name: string, value: string | number | null | undefined) => {
    if (value !== null && value !== undefined) attributes[name] = value;
  };
  set("feature_flag.result.variant", decision.variant);
  set("feature_flag.context.id", decision.user_id);
  set("feature_flag.version", decision.feature_version === null ? null : String(decision.feature_version));
  const steps = snapshot.features.get(decision.feature_key)?.definition.steps;
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
    const { type, message } = failureOf(decision, environment);
    attributes["error.type"] = type;
    attributes["feature_flag.error.message"] = message;
  }
  return attributes;
}

function failureOf({ feature_key, decision_source }: Decision, environment: string): { type: string; message: string } {
  if (decision_source === "feature_not_found")
    return { type: "flag_not_found", message: `There is no feature "${feature_key}" in environment ${environment}` };
  if (decision_source === "targeting_key_missing")
    return {
      type: "targeting_key_missing",
      message: `Feature "${feature_key}" is decided by user, and no user was given`,
    };
  return { type: "general", message: `Feature "${feature_key}" could not be evaluated` };
}
