import type { Feature } from "../../core/feature/feature.ts";
import { type CompleteObjective, completeObjective } from "../../core/feature/objective.ts";
import type { Json } from "../../core/json.ts";
import { Artifact } from "../../core/model/artifact.ts";
import type { Model } from "../../core/model/model.ts";
import type { Configuration } from "../../core/ports.ts";
import { rampGroup } from "../../core/rollout/ramp-group.ts";
import type { Strategy } from "../../core/strategy.ts";
import type { OutcomeDefinition } from "../../server/postgres/checked-exposures.ts";

/** What a model is checked by: whose decisions, and what is to come of them. */
export interface CheckedScope {
  readonly configuration: Configuration;
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** undefined: a global model, which has many. */
  readonly feature: Feature | undefined;
  /** All features it decides for. */
  readonly feature_keys: readonly string[];
  readonly objective: CompleteObjective | null;
  /** Ids of the feature's steps that decide with models. */
  readonly steps: readonly string[];
  /** null: nothing says what its outcomes are, or it was trained on moments that are no decisions. */
  readonly outcome: OutcomeDefinition | null;
  readonly max_age_seconds: number;
  /** Share of the users that a challenger has taken over; 0 without one. */
  readonly challenger_traffic: number;
  /** False for users whom the model's champion, or its challenger, decides for instead. */
  serves(userId: string): boolean;
}

const WEEK = 7 * 86_400;

export function checkedScope(
  configuration: Configuration,
  strategies: ReadonlyMap<string, Strategy>,
  model: Model,
): CheckedScope {
  const feature = configuration.features.find(({ key }) => key === model.feature_key);
  const objective = feature === undefined ? null : completeObjective(feature);
  const learning = (feature?.steps ?? []).filter(({ strategy }) => learns(strategies.get(strategy)));
  const challenger_traffic =
    configuration.models.find(({ feature_key, status }) => feature_key === model.feature_key && status === "candidate")
      ?.traffic ?? 0;
  const taken = rampGroup(feature?.key ?? "");
  const live = new Set(configuration.models.map(({ feature_key }) => feature_key));
  return {
    configuration,
    strategies,
    feature,
    feature_keys:
      model.feature_key === null
        ? configuration.features.map(({ key }) => key).filter((key) => !live.has(key))
        : [model.feature_key],
    objective,
    steps: learning.map(({ id }) => id),
    outcome: outcomeOf(model, objective),
    challenger_traffic,
    serves: (userId) => taken(userId, challenger_traffic) === (model.status === "candidate"),
    max_age_seconds:
      Math.max(
        0,
        ...learning.map(({ config }) => field(config, "max_age_seconds")).filter((age) => typeof age === "number"),
      ) ||
      (objective?.max_age_seconds ?? WEEK),
  };
}

/** undefined: this release cannot read it. */
export function artifactOf(model: Model): Artifact | undefined {
  return Artifact.safeParse(model.artifact).data;
}

export function field(value: Json, name: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json>>)[name];
}

function learns(strategy: Strategy | undefined): boolean {
  return strategy?.learns ?? strategy?.profile ?? false;
}

/** As the model was trained, where the objective leaves it open. */
function outcomeOf(model: Model, objective: CompleteObjective | null): OutcomeDefinition | null {
  const profile = field(model.process, "dataset_profile") ?? null;
  const window = objective?.window_seconds ?? field(profile, "window_seconds");
  const types = objective?.event_types ?? field(profile, "positive_event_types");
  if (typeof window !== "number" || !Array.isArray(types)) return null;
  return {
    event_types: types.filter((type) => typeof type === "string"),
    window_seconds: window,
    grace_seconds: objective?.grace_seconds ?? 0,
    value: objective?.value ?? null,
    guardrails: objective?.guardrails ?? [],
  };
}
