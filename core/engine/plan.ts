import type { Experiment } from "../experiment/experiment.ts";
import { compileCondition } from "../feature/compile-condition.ts";
import type { Condition } from "../feature/condition.ts";
import type { Feature, Step } from "../feature/feature.ts";
import { completeObjective } from "../feature/objective.ts";
import { conditionsOf, referencesOf } from "../feature/references.ts";
import { sameJson } from "../feature/same-json.ts";
import type { Model } from "../model/model.ts";
import type { CompiledCondition, Host, Strategy } from "../strategy.ts";
import { closedBreaker } from "./breaker.ts";
import { type CompiledExperiment, compileExperiment } from "./compile-experiment.ts";
import type { CompiledSegments } from "./compile-segments.ts";
import { compileQuickSplit, type QuickSplit, type Sides } from "./quick-split.ts";
import { messageOf, type Runnable } from "./run-step.ts";
import { type Served, serve, serveAll } from "./served.ts";

/** How a feature decides. */
export interface Plan {
  readonly enabled: boolean;
  readonly experiment: CompiledExperiment | null;
  readonly steps: readonly CompiledStep[];
  readonly variants: ReadonlyMap<string, Served>;
  readonly off: Served;
  readonly fallback: Served;
  /** True when a step learns, or there is an objective: its exposures store the raw feature row. */
  readonly learns: boolean;
  /** Features it asks about, directly or through segments, with their off variants. */
  readonly prerequisites: ReadonlyMap<string, string | undefined>;
  readonly usesSegments: boolean;
  /** True when a step of its own wants the user's profile. */
  readonly ownProfile: boolean;
  readonly model: Model | undefined;
  readonly challenger: Model | undefined;
  /** What the experiment was compiled from. */
  readonly running: Experiment | undefined;
}

export interface CompiledStep extends Runnable {
  readonly id: string;
  readonly strategy: string;
  readonly source: string;
  /** null: always asked. */
  readonly when: CompiledCondition | null;
  /** null: its strategy is always asked. */
  readonly quick: QuickSplit | null;
  /** A failure goes straight to the fallback variant. */
  readonly toFallback: boolean;
  /** Why a condition of its is no match whatever the ask (an operator's plugin is gone); null when all can be asked. */
  readonly gone: string | null;
}

export interface PlanScope {
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly segments: CompiledSegments;
  readonly features: ReadonlyMap<string, Feature>;
  /** Those on attributes, compiled once for all features whose definitions share them. */
  readonly conditions: WeakMap<Condition & object, CompiledCondition>;
}

/** What a plan is made from, besides its scope. */
export type Related = Pick<Plan, "model" | "challenger" | "running"> & { readonly definition: Feature };

/** Of equal sides, all get the first. */
type Share = (sides: Sides) => Sides;

/** Milliseconds a step may take when it does not say. */
export const DEFAULT_BUDGET = 50;

/** Shared, because most features have none. */
const NO_PREREQUISITES: Plan["prerequisites"] = new Map();

/** Steps take over the circuit breakers of `earlier`. Never throws: what cannot be compiled fails when it is asked. */
export function compilePlan(related: Related, scope: PlanScope, earlier: Plan | undefined, share: Share): Plan {
  try {
    return compileSteps(related, scope, earlier, share);
  } catch (error) {
    return compileBroken(related, `Cannot be used: ${messageOf(error)}`);
  }
}

function compileSteps(
  { definition, model, challenger, running }: Related,
  scope: PlanScope,
  earlier: Plan | undefined,
  share: Share,
): Plan {
  const variants = serveAll(definition);
  const references = referencesOf(conditionsOf(definition, scope.strategies));
  const asked = definition.steps
    .filter(({ when }) => when !== false)
    .map(({ strategy }) => scope.strategies.get(strategy));
  const host = hostFor(definition, model, challenger, scope);
  const prerequisites = [...scope.segments.prerequisites(references)];
  return {
    enabled: definition.enabled,
    experiment: running === undefined ? null : compileExperiment(running, variants),
    steps: definition.steps.map((step) => compileStep(step, variants, { host, scope, earlier, share })),
    variants,
    off: variants.get(definition.off_variant) ?? serve(definition, definition.off_variant),
    fallback: variants.get(definition.fallback_variant) ?? serve(definition, definition.fallback_variant),
    // With an objective, what a plain rollout draws is worth knowing too: replay asks about it.
    learns: definition.objective != null || asked.some((strategy) => strategy?.learns ?? strategy?.profile ?? false),
    prerequisites:
      prerequisites.length === 0
        ? NO_PREREQUISITES
        : new Map(prerequisites.map((key) => [key, scope.features.get(key)?.off_variant])),
    usesSegments: references.segments.size > 0,
    ownProfile: asked.some((strategy) => strategy?.profile === true),
    model,
    challenger,
    running,
  };
}

/** A feature whose definition makes no sense: it serves its fallback variant, or null when it has none. */
function compileBroken({ definition, model, challenger, running }: Related, detail: string): Plan {
  const variants = new Map<string, Served>();
  const whole = { ...definition, variants: definition.variants ?? {} };
  return {
    enabled: definition.enabled,
    experiment: null,
    steps: [{ ...stepShell({ id: "feature", strategy: "none" }, variants), broken: { failed: "error", detail } }],
    variants,
    off: serve(whole, definition.off_variant),
    fallback: serve(whole, definition.fallback_variant),
    learns: false,
    prerequisites: NO_PREREQUISITES,
    usesSegments: false,
    ownProfile: false,
    model,
    challenger,
    running,
  };
}

function compileStep(
  step: Step,
  variants: ReadonlyMap<string, Served>,
  { host, scope, earlier, share }: { host: Host; scope: PlanScope; earlier: Plan | undefined; share: Share },
): CompiledStep {
  const strategy = scope.strategies.get(step.strategy);
  const before = earlier?.steps.find(({ id, strategy: name }) => id === step.id && name === step.strategy);
  const compiled: CompiledStep = {
    ...stepShell(step, variants),
    source: strategy?.source ?? step.strategy,
    bounded: strategy?.bounded === true,
    breaker: before?.breaker ?? closedBreaker(),
  };
  let gone: string | null = null;
  const noting: Host = {
    ...host,
    condition(condition) {
      const asked = host.condition(condition);
      gone ??= asked.gone ?? null;
      return asked;
    },
  };
  try {
    if (strategy === undefined) throw new Error(`There is no strategy "${step.strategy}": is its plugin loaded?`);
    const when = step.when === undefined || step.when === true ? null : noting.condition(step.when);
    const parsed = parseStored(strategy, step.config);
    // Usually nothing was added: the stored config is kept rather than a second one beside it.
    const evaluate = strategy.prepare(sameJson(parsed, step.config) ? step.config : parsed, noting);
    if (typeof evaluate !== "function") throw new TypeError(`prepare returned ${typeof evaluate}, not an evaluator`);
    return { ...compiled, when, evaluate, gone, quick: compileQuickSplit(evaluate, compiled, variants, share) };
  } catch (error) {
    return { ...compiled, broken: { failed: "error", detail: `Cannot be used: ${messageOf(error)}` } };
  }
}

/** Sound when it was written, but its plugin may have changed since. */
function parseStored(strategy: Strategy, config: unknown): unknown {
  const { success, data, error } = strategy.config.safeParse(config);
  if (success) return data;
  const [issue] = error.issues;
  throw new TypeError(`config${(issue?.path ?? []).map((part) => `/${String(part)}`).join("")}: ${issue?.message}`);
}

function stepShell(
  step: Pick<Step, "id" | "strategy"> & Partial<Step>,
  variants: ReadonlyMap<string, Served>,
): CompiledStep {
  return {
    id: step.id,
    strategy: step.strategy,
    source: step.strategy,
    when: null,
    quick: null,
    evaluate: neverAsked,
    budget: step.budget_ms ?? DEFAULT_BUDGET,
    bounded: false,
    toFallback: step.on_failure === "fallback",
    gone: null,
    breaker: closedBreaker(),
    variants,
    broken: null,
  };
}

function neverAsked(): never {
  throw new Error("A broken step was asked");
}

function hostFor(feature: Feature, model: Model | undefined, challenger: Model | undefined, scope: PlanScope): Host {
  return {
    feature: {
      key: feature.key,
      type: feature.type,
      variants: Object.keys(feature.variants),
      off_variant: feature.off_variant,
      fallback_variant: feature.fallback_variant,
    },
    objective: completeObjective(feature),
    model,
    challenger,
    condition: (condition) =>
      compileCondition(condition, {
        segment: (key) => scope.segments.get(key),
        offVariant: (key) => scope.features.get(key)?.off_variant,
        seed: `${feature.key}#gate`,
        known: scope.conditions,
      }),
  };
}
