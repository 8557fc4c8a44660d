import type { Decide, Distribution, User } from "../strategy.ts";
import type { AskOptions, EngineAsk } from "./ask.ts";
import { planOf } from "./compile-feature.ts";
import { openAsk, readUser } from "./evaluate.ts";
import type { CompiledStep, Plan } from "./plan.ts";
import { runStep } from "./run-step.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a user like this one may be served, by variant; sums to 1. */
export type Pmf = Readonly<Record<string, number>>;

/**
 * The probabilities with which `evaluate` gives the feature's variants to a user with these attributes, over all draws of
 * hashes: the propensities of its exposures, and what replay asks of another configuration. Conditions, gates and
 * prerequisites are taken as they came out for this user.
 *
 * null when they are not known: no such feature, a step that answers with a promise, or a variant that does not exist.
 */
export function distributionOf(snapshot: Snapshot, featureKey: string, user: User, options: AskOptions): Pmf | null {
  const feature = snapshot.features.get(featureKey);
  if (feature === undefined) return null;
  try {
    return distribute(planOf(feature, snapshot.strategies), openAsk(snapshot, readUser(user), options));
  } catch {
    return null;
  }
}

function distribute(plan: Plan, ask: EngineAsk): Pmf | null {
  if (!plan.enabled) return certain(plan.off.variant);
  const { experiment } = plan;
  if (experiment !== null && experiment.split !== null && ask.userId !== null)
    return Object.fromEntries(experiment.arms.map(({ served, probability }) => [served.variant, probability]));
  const pmf: Record<string, number> = {};
  let left = 1;
  for (const step of plan.steps) {
    const found = askStep(step, ask);
    if (found === null) return null;
    for (const [variant, probability] of Object.entries(found.probabilities)) {
      if (!plan.variants.has(variant)) return null;
      pmf[variant] = (pmf[variant] ?? 0) + left * probability;
    }
    left *= 1 - sumOf(found.probabilities);
    if (left < NOTHING) return pmf;
    if (step.toFallback && (found.abstain ?? "no_match") !== "no_match") break;
  }
  const { variant } = plan.fallback;
  if (variant === null) return null;
  pmf[variant] = (pmf[variant] ?? 0) + left;
  return pmf;
}

/** Probabilities below are rounding. */
const NOTHING = 1e-12;

function certain(variant: string | null): Pmf | null {
  return variant === null ? null : { [variant]: 1 };
}

/** null: it answers with a promise. */
function askStep(step: CompiledStep, ask: EngineAsk): Distribution | null {
  if (step.broken !== null) return { probabilities: {}, abstain: step.broken.failed };
  try {
    if (step.when !== null && !step.when.test(ask)) return { probabilities: {} };
    if (step.evaluate.distribution !== undefined) return step.evaluate.distribution(ask);
  } catch {
    return { probabilities: {}, abstain: "error" };
  }
  // Without a clock: its breaker is the business of real decisions.
  const answer = runStep(step, ask, undefined, true);
  if (answer instanceof Promise) {
    answer.catch(() => {});
    return null;
  }
  const { variant } = answer as Decide;
  if (variant !== undefined) return { probabilities: { [variant]: 1 } };
  return {
    probabilities: {},
    abstain: "failed" in answer ? answer.failed : (answer as { abstain: "no_match" }).abstain,
  };
}

function sumOf(probabilities: Pmf): number {
  let sum = 0;
  for (const variant in probabilities) sum += probabilities[variant] as number;
  return sum;
}
