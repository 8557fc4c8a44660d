import type { Feature } from "../core/feature/feature.ts";
import type { Learner, ModelTarget } from "../core/model/model.ts";
import { Invalid, type TrainingRequest } from "../core/ports.ts";

/** What is to be fitted. */
export interface TrainingChoice {
  readonly target: ModelTarget;
  readonly learner: Learner | "auto";
}

/**
 * What a request leaves to us: a feature with a bandit, or with an ml-model step that decides by uplift, learns uplift, any
 * other propensity; and what a bandit learns is a ridge regression, which every later outcome can update.
 *
 * @throws Invalid `no_feature` when uplift is asked for without a feature
 */
export function chooseTraining(
  { target, learner }: Pick<TrainingRequest, "target" | "learner">,
  feature: Pick<Feature, "steps"> | undefined,
): TrainingChoice {
  const steps = feature?.steps ?? [];
  const bandit = steps.some(({ strategy }) => strategy === "bandit");
  const byUplift =
    bandit || steps.some(({ strategy, config }) => strategy === "ml-model" && modeOf(config) === "uplift");
  const chosen = target === "uplift" || target === "propensity" ? target : byUplift ? "uplift" : "propensity";
  if (chosen === "uplift" && feature === undefined)
    throw new Invalid(
      "no_feature",
      "Cannot train uplift for a whole environment: it compares the variants of one feature. Name it in feature_key, or ask for the target propensity",
      "/feature_key",
    );
  return { target: chosen, learner: learner === "auto" && bandit && chosen === "uplift" ? "ridge" : learner };
}

function modeOf(config: unknown): unknown {
  return typeof config === "object" && config !== null && "mode" in config ? config.mode : undefined;
}
