import { armAt, EVERYONE, NO_UNIT, placeIn } from "../bucketing/compile-split.ts";
import type { Decision } from "../decision/decision.ts";
import type { EngineAsk } from "./ask.ts";
import type { CompiledArm, CompiledExperiment } from "./compile-experiment.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import { experimentDecision } from "./make-decision.ts";
import { messageOf } from "./run-step.ts";

/** How the experiment appears in traces and fallbacks, as if it were a step. */
const EXPERIMENT = { id: "experiment", strategy: "experiment" } as const;

/**
 * A running experiment decides before all steps, for everyone who has a user_id. null when the steps are to decide: the
 * user has none, or the experiment cannot decide, which is noted as the first failure.
 */
export function askExperiment(
  feature: CompiledFeature,
  { split, arms, broken }: CompiledExperiment,
  ask: EngineAsk,
): Decision | null {
  if (split === null) return fail(broken ?? "It cannot be used", ask);
  let bucket: number;
  try {
    bucket = placeIn(split, ask.user);
  } catch (error) {
    return fail(messageOf(error), ask);
  }
  const everyone = bucket === EVERYONE;
  if (bucket === NO_UNIT || (everyone && ask.userId === null)) {
    const detail = "Not in the experiment: the user has no user_id";
    ask.traces?.push({ ...EXPERIMENT, outcome: "abstained", cause: "no_match", detail });
    return null;
  }
  const arm = arms[armAt(split, bucket)] as CompiledArm;
  ask.traces?.push({
    ...EXPERIMENT,
    outcome: "decided",
    variant: arm.served.variant as string,
    detail: `Arm ${arm.assignment.variant} of ${arm.assignment.experiment_name}`,
    evidence: { bucket: everyone ? null : bucket, probability: arm.probability },
  });
  return experimentDecision(feature, ask, arm, everyone ? null : bucket);
}

function fail(detail: string, ask: EngineAsk): null {
  ask.traces?.push({ ...EXPERIMENT, outcome: "failed", cause: "error", detail });
  ask.fallback = { from: EXPERIMENT.id, cause: "error" };
  return null;
}
