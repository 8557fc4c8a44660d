import type { Feature, FeatureDefinition } from "../feature/feature.ts";
import { type FeatureRow, profileOfRow, userOfRow } from "../model/feature-row.ts";
import type { Model } from "../model/model.ts";
import type { Configuration } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import { distributionOf, type Pmf } from "./distribution.ts";
import { compile } from "./snapshot.ts";

/** What the feature would serve a user who was once decided for; null when it cannot be known. */
export type Policy = (row: FeatureRow, unit: string, at: number) => Pmf | null;

export interface PolicyOptions {
  /** Another definition of the feature. Default: as configured. */
  readonly definition?: FeatureDefinition | undefined;
  /** Another model that decides alone; null: none does. Default: as configured. */
  readonly model?: Model | null | undefined;
}

/**
 * Re-decides stored rows with another definition or model of a feature, by the same engine that serves: its rules, holdout,
 * exploration and fallbacks count as they would. A model's age is not held against it.
 *
 * Running experiments are left out: the question is what the feature would do of its own.
 */
export function policyFor(
  configuration: Configuration,
  featureKey: string,
  strategies: ReadonlyMap<string, Strategy>,
  { definition, model }: PolicyOptions = {},
): Policy {
  const features = configuration.features.map(
    (feature): Feature =>
      feature.key === featureKey && definition !== undefined ? { ...feature, ...definition } : feature,
  );
  const others = configuration.models.filter(({ feature_key }) => feature_key !== featureKey);
  const models =
    model === undefined
      ? configuration.models
      : model === null
        ? others.filter(({ feature_key }) => feature_key !== null)
        : [...others, { ...model, feature_key: featureKey, status: "live" as const, health: "fresh" as const }];
  const snapshot = compile({ ...configuration, features, models: models.map(ageless), experiments: [] }, strategies);
  return (row, unit, at) =>
    distributionOf(snapshot, featureKey, userOfRow(row, unit), { now: at, profile: profileOfRow(row, at) });
}

/** A replay asks about decisions long past. */
function ageless(model: Model): Model {
  return { ...model, trained_at: "9999-01-01T00:00:00.000Z" };
}
