import { type CompiledSplit, compileSplit } from "../bucketing/compile-split.ts";
import { BUCKETS } from "../bucketing/split.ts";
import type { ExperimentAssignment } from "../decision/decision.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { messageOf } from "./run-step.ts";
import type { Served } from "./served.ts";

/** A running experiment ready to decide. */
export interface CompiledExperiment {
  readonly split: CompiledSplit | null;
  readonly arms: readonly CompiledArm[];
  /** Why it cannot decide; null when it can. */
  readonly broken: string | null;
}

export interface CompiledArm {
  readonly served: Served;
  readonly assignment: ExperimentAssignment;
  /** That a user gets this arm's variant, 0..1. */
  readonly probability: number;
}

/** Never throws. */
export function compileExperiment(experiment: Experiment, variants: ReadonlyMap<string, Served>): CompiledExperiment {
  try {
    const arms = experiment.arms.map(({ name, variant }): CompiledArm => {
      const served = variants.get(variant);
      if (served === undefined) throw new Error(`Arm ${name} serves "${variant}", which the feature does not declare`);
      return {
        served,
        assignment: { experiment_id: experiment.id, experiment_name: experiment.name, variant: name },
        probability: shareOf(variant, experiment),
      };
    });
    const split = compileSplit(
      {
        unit: ["user_id"],
        bucketing: { algorithm: "murmur3-v1", seed: experiment.seed, buckets: BUCKETS },
        arms: experiment.arms.map(({ name, weight }) => ({ variant: name, weight })),
      },
      experiment.seed,
    );
    return { split, arms, broken: null };
  } catch (error) {
    return { split: null, arms: [], broken: messageOf(error) };
  }
}

/** Several arms may serve one variant, as in an A/A test: what was drawn is the variant. */
function shareOf(variant: string, { arms }: Experiment): number {
  return arms.reduce((share, arm) => (arm.variant === variant ? share + arm.weight : share), 0) / 100;
}
