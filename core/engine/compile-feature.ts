import type { Seed } from "../bucketing/murmur3.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Feature } from "../feature/feature.ts";
import { sameJson } from "../feature/same-json.ts";
import type { Model } from "../model/model.ts";
import type { Strategy } from "../strategy.ts";
import { compileSegments } from "./compile-segments.ts";
import { type CompiledStep, compilePlan, type Plan, type PlanScope, type Related } from "./plan.ts";
import type { QuickSplit, Sides } from "./quick-split.ts";
import type { Sharing } from "./sharing.ts";

/**
 * A feature ready to be asked. One object holds all that a rollout's decision needs: of thousands of features, fetching
 * them from memory is what takes the time.
 */
export interface CompiledFeature extends Seed {
  // As stored.
  readonly key: string;
  readonly version: number;
  /** Its first step's QuickSplit, when nothing comes before that one; null: the plan is to be followed. */
  readonly sides: Sides | null;
  readonly edge: number;
  /** null: nothing but the sides was ever needed, see `planOf`. */
  plan: Plan | null;
  readonly definition: Feature;
  /** True when a step wants the user's profile, or one of a prerequisite: the caller then passes it to evaluate. */
  readonly profile: boolean;
  /** As the plan's. */
  readonly learns: boolean;
  /** True when one step places everyone who has a user_id, and nothing but the definition and that step's strategy counts. */
  readonly plain: boolean;
}

export interface FeatureScope extends PlanScope {
  readonly models: ReadonlyMap<string | null, Model>;
  /** Candidates that take over a share of the live model's users. */
  readonly challengers: ReadonlyMap<string | null, Model>;
  readonly experiments: ReadonlyMap<string, Experiment>;
}

/**
 * `earlier` is the feature in the snapshot before: taken over when nothing it was compiled from has changed (its definition is
 * the same object), and otherwise its circuit breakers are, step by step. `same` tells what the two snapshots share.
 * Never throws.
 */
export function compileFeature(
  feature: Feature,
  scope: FeatureScope,
  earlier: CompiledFeature | undefined,
  same: { readonly strategies: boolean; readonly segments: boolean },
  sharing: Sharing,
): CompiledFeature {
  const model = scope.models.get(feature.key) ?? scope.models.get(null);
  // Never a challenger of another scope's model.
  const challenger = model === undefined ? undefined : scope.challengers.get(model.feature_key);
  const running = scope.experiments.get(feature.key);
  const related = { definition: feature, model, challenger, running };
  if (earlier !== undefined && same.strategies && isSame(earlier, related, scope, same.segments)) return earlier;
  const plan = compilePlan(related, scope, earlier?.plan ?? undefined, sharing.sides);
  const [first] = plan.steps;
  const quick = plan.enabled && plan.experiment === null && first?.when === null ? first.quick : null;
  const plain = quick !== null && isPlain(plan, first as CompiledStep);
  return lay(feature, plan, quick, {
    sides: quick?.sides ?? null,
    plain,
    // Whoever needed the plan before will need it again, and its breakers go on in it.
    plan: plain && earlier?.plan == null ? null : plan,
  });
}

/** How the feature decides. Plans of plain features are made when somebody asks, which most of them live without. */
export function planOf(feature: CompiledFeature, strategies: ReadonlyMap<string, Strategy>): Plan {
  feature.plan ??= compilePlan(
    { definition: feature.definition, model: undefined, challenger: undefined, running: undefined },
    { strategies, segments: NO_SEGMENTS, features: NO_FEATURES, conditions: new WeakMap() },
    undefined,
    (sides) => sides,
  );
  return feature.plan;
}

const NO_FEATURES: PlanScope["features"] = new Map();
const NO_SEGMENTS = compileSegments([], new Map());

/** The same, breakers and all, in objects of its own. */
export function copyFeature(feature: CompiledFeature): CompiledFeature {
  const { plan } = feature;
  if (plan === null) return { ...feature };
  const steps = plan.steps.map((step) => ({ ...step, quick: step.quick === null ? null : { ...step.quick } }));
  const copy = { ...feature };
  copy.plan = { ...plan, steps };
  return copy;
}

function isPlain(plan: Plan, { bounded, quick }: CompiledStep): boolean {
  const { steps, learns, ownProfile, prerequisites, usesSegments } = plan;
  return (
    steps.length === 1 &&
    bounded &&
    quick?.sides.below != null &&
    quick.sides.above !== null &&
    !learns &&
    !ownProfile &&
    prerequisites.size === 0 &&
    !usesSegments
  );
}

/** All features' fields in one order: code that meets a single shape of object is quicker. */
function lay(
  definition: Feature,
  { ownProfile, learns }: Plan,
  quick: QuickSplit | null,
  { sides, plain, plan }: Pick<CompiledFeature, "sides" | "plain" | "plan">,
): CompiledFeature {
  const { start = 0, tail = 0, filled = 0, length = 0, edge = 0 } = quick ?? {};
  return {
    key: definition.key,
    version: definition.version,
    sides,
    start,
    tail,
    filled,
    length,
    edge,
    plan,
    definition,
    profile: ownProfile,
    learns,
    plain,
  };
}

function isSame(
  earlier: CompiledFeature,
  { definition, model, challenger, running }: Related,
  scope: FeatureScope,
  sameSegments: boolean,
): boolean {
  const { definition: before, plan } = earlier;
  if (before !== definition) return false;
  if (earlier.plain || plan === null) return running === undefined;
  if (plan.usesSegments && !sameSegments) return false;
  if (!isSameModel(plan.model, model) || !isSameModel(plan.challenger, challenger)) return false;
  for (const [key, off] of plan.prerequisites) if (scope.features.get(key)?.off_variant !== off) return false;
  return sameJson(plan.running, running);
}

function isSameModel(a: Model | undefined, b: Model | undefined): boolean {
  return a?.version === b?.version && a?.hash === b?.hash && a?.health === b?.health && a?.traffic === b?.traffic;
}
