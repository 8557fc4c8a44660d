import type { Experiment } from "../experiment/experiment.ts";
import type { Feature } from "../feature/feature.ts";
import type { Segment } from "../feature/segment.ts";
import type { Model } from "../model/model.ts";
import type { Configuration } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import { type CompiledFeature, compileFeature, copyFeature } from "./compile-feature.ts";
import { compileSegments } from "./compile-segments.ts";
import { shareUnchanged } from "./share-unchanged.ts";
import { createSharing } from "./sharing.ts";
import type { Timing } from "./timing.ts";

/** All features, segments, running experiments and live models of one environment: compiled, immutable, swapped whole. */
export interface Snapshot {
  readonly environment: string;
  readonly revision: number;
  /** By key. */
  readonly features: ReadonlyMap<string, CompiledFeature>;
  /** What it was compiled from. */
  readonly configuration: Configuration;
  readonly timing: Timing | undefined;
  /** What it was compiled with, to tell what the next one can take over. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly segments: string;
}

export type { CompiledFeature } from "./compile-feature.ts";

export interface CompileOptions {
  /** The snapshot this one replaces: what did not change is taken over, and circuit breakers keep their state. */
  readonly previous?: Snapshot | undefined;
  /** Default: none, see Timing. */
  readonly timing?: Timing | undefined;
}

/** Never throws: what cannot be compiled is contained in its own step or feature and fails there with the cause `error`. */
export function compile(
  read: Configuration,
  strategies: ReadonlyMap<string, Strategy>,
  { previous, timing }: CompileOptions = {},
): Snapshot {
  const segments = signatureOf(read.segments);
  const sharing = createSharing();
  const configuration = shareUnchanged(read, previous?.configuration, sharing);
  const scope = {
    strategies,
    segments: compileSegments(configuration.segments, offVariants(configuration.features)),
    models: byScope(configuration.models.filter(({ status }) => status === "live")),
    challengers: byScope(configuration.models.filter(({ status }) => status !== "live")),
    experiments: new Map(configuration.experiments.filter(isRunning).map((found) => [found.feature_key, found])),
    features: new Map(configuration.features.map((feature) => [feature.key, feature])),
    conditions: new WeakMap(),
  };
  const same = { strategies: previous?.strategies === strategies, segments: previous?.segments === segments };
  const features = new Map<string, CompiledFeature>();
  for (const feature of configuration.features)
    features.set(feature.key, compileFeature(feature, scope, previous?.features.get(feature.key), same, sharing));
  return {
    environment: configuration.environment,
    revision: configuration.revision,
    configuration,
    features: sideBySide(withProfiles(features), previous),
    timing,
    strategies,
    segments,
  };
}

/**
 * What was compiled now, copied feature by feature: compiling scatters objects over memory, and of those that lie in the
 * order they are asked in, the processor fetches the next ones ahead.
 */
function sideBySide(
  features: ReadonlyMap<string, CompiledFeature>,
  previous: Snapshot | undefined,
): ReadonlyMap<string, CompiledFeature> {
  const copied = new Map<string, CompiledFeature>();
  for (const [key, feature] of features) {
    const isNew = feature !== previous?.features.get(key);
    copied.set(key, isNew ? copyFeature(feature) : feature);
  }
  return copied;
}

function byScope(models: readonly Model[]): ReadonlyMap<string | null, Model> {
  return new Map(models.map((model) => [model.feature_key, model]));
}

function isRunning(experiment: Experiment): boolean {
  return experiment.enabled;
}

function signatureOf(segments: readonly Segment[]): string {
  return segments.map(({ key, version, updated_at }) => `${key} ${version} ${updated_at}`).join("\n");
}

function offVariants(features: readonly Feature[]): ReadonlyMap<string, string> {
  return new Map(features.map(({ key, off_variant }) => [key, off_variant]));
}

/** A feature needs the user's profile when a step of its own does, or one of a prerequisite. */
function withProfiles(features: ReadonlyMap<string, CompiledFeature>): ReadonlyMap<string, CompiledFeature> {
  const wanting = [...features.values()].filter(({ plan }) => plan !== null && plan.prerequisites.size > 0);
  if (wanting.length === 0) return features;
  const profiled = new Map(features);
  for (const feature of wanting) {
    const profile = reaches(feature, features);
    if (profile !== feature.profile) profiled.set(feature.key, { ...feature, profile });
  }
  return profiled;
}

function reaches(feature: CompiledFeature, features: ReadonlyMap<string, CompiledFeature>): boolean {
  const seen = new Set<string>();
  const waiting = [feature];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.plan === null) continue;
    if (next.plan.ownProfile) return true;
    for (const key of next.plan.prerequisites.keys()) {
      const prerequisite = features.get(key);
      if (prerequisite === undefined || seen.has(key)) continue;
      seen.add(key);
      waiting.push(prerequisite);
    }
  }
  return false;
}
