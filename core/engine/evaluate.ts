import type { ConditionTrace, Decision, Fallback, StepTrace } from "../decision/decision.ts";
import { MAX_CHAIN } from "../feature/check-configuration.ts";
import type { Abstain, Decide, User } from "../strategy.ts";
import { type AskOptions, type EngineAsk, plainUser } from "./ask.ts";
import { askExperiment } from "./ask-experiment.ts";
import type { CompiledFeature, CompiledStep } from "./compile-feature.ts";
import { traceAnswer, traceSkipped, traceUnreached } from "./explain.ts";
import { notFound, plainDecision, stepDecision } from "./make-decision.ts";
import { type Answer, messageOf, runStep } from "./run-step.ts";
import type { Served } from "./served.ts";
import type { Snapshot } from "./snapshot.ts";

export type EvaluateOptions = AskOptions;

/** Decides one feature for one user. Never throws and never rejects; a promise only when a step answers with one. */
export function evaluate(
  snapshot: Snapshot,
  featureKey: string,
  user: User,
  options: EvaluateOptions,
): Decision | Promise<Decision> {
  const known = readUser(user);
  const feature = snapshot.features.get(featureKey);
  if (feature === undefined) return notFound(featureKey, known);
  const ask: EngineAsk = {
    user: known,
    now: options.now,
    explain: options.explain === true,
    profile: options.profile,
    variantOf,
    snapshot,
    stale: options.stale === true,
    depth: 0,
    served: null,
  };
  const decision = decide(feature, ask);
  return decision instanceof Promise ? decision.catch(() => giveUp(feature, ask)) : decision;
}

function readUser(user: unknown): User {
  try {
    return plainUser(user);
  } catch {
    return {};
  }
}

/** A method, not a closure: nothing is allocated for the many features that ask about no other. */
function variantOf(this: EngineAsk, key: string): string | undefined {
  this.served ??= new Map();
  if (this.served.has(key)) return this.served.get(key);
  const feature = this.snapshot.features.get(key);
  if (feature === undefined || this.depth >= MAX_CHAIN) return undefined;
  // Noted before it is known: a feature that leads back to itself finds itself missing.
  this.served.set(key, undefined);
  const decision = decide(feature, { ...this, explain: false, depth: this.depth + 1 });
  // Its steps are not waited for, so there is no promise; if there were, this is what a failure serves.
  const variant = (decision instanceof Promise ? feature.fallback.variant : decision.variant) ?? undefined;
  this.served.set(key, variant);
  return variant;
}

function decide(feature: CompiledFeature, ask: EngineAsk): Decision | Promise<Decision> {
  try {
    const traces: StepTrace[] | null = ask.explain ? [] : null;
    if (!feature.definition.enabled) return switchedOff(feature, ask, traces);
    if (feature.experiment === null) return askFrom(feature, ask, 0, null, traces);
    const answer = askExperiment(feature, feature.experiment, ask, traces);
    if (answer === null) return askFrom(feature, ask, 0, null, traces);
    return "cause" in answer ? askFrom(feature, ask, 0, answer, traces) : leaveRest(feature, answer, 0, traces);
  } catch {
    return giveUp(feature, ask);
  }
}

function switchedOff(feature: CompiledFeature, ask: EngineAsk, traces: StepTrace[] | null): Decision {
  return leaveRest(feature, plainDecision(feature, ask, feature.off, "feature_disabled", "DISABLED", null), 0, traces);
}

/** Only a defect of the engine itself, or a stack that ran out, leads here. */
function giveUp(feature: CompiledFeature, ask: EngineAsk): Decision {
  const fallback: Fallback = { from: "engine", cause: "error" };
  return plainDecision(feature, ask, feature.fallback, "fallback", "ERROR", fallback);
}

/** Asks the steps from `at` on. `fallback` is the first failure so far; `traces` is null unless they are wanted. */
function askFrom(
  feature: CompiledFeature,
  ask: EngineAsk,
  at: number,
  fallback: Fallback | null,
  traces: StepTrace[] | null,
): Decision | Promise<Decision> {
  const step = feature.steps[at];
  if (step === undefined) return fallBack(feature, ask, at, fallback, traces);
  let when: ConditionTrace | undefined;
  let answer: Answer | Promise<Answer> | null = null;
  if (step.when !== null && step.broken === null)
    try {
      if (traces !== null) when = step.when.explain(ask);
      if (when === undefined ? !step.when.test(ask) : when.result !== "yes") answer = SKIPPED;
    } catch (error) {
      answer = { failed: "error", detail: messageOf(error) };
    }
  answer ??= runStep(step, ask, ask.snapshot.timing, ask.depth === 0);
  if (answer instanceof Promise)
    return answer.then((settled) => weigh(feature, ask, at, settled, when, fallback, traces));
  return weigh(feature, ask, at, answer, when, fallback, traces);
}

const SKIPPED: Abstain = { abstain: "no_match" };

/** Serves what step `at` decided, or asks the next one. */
function weigh(
  feature: CompiledFeature,
  ask: EngineAsk,
  at: number,
  answer: Answer,
  when: ConditionTrace | undefined,
  fallback: Fallback | null,
  traces: StepTrace[] | null,
): Decision | Promise<Decision> {
  const step = feature.steps[at] as CompiledStep;
  traces?.push(answer === SKIPPED ? traceSkipped(step, when) : traceAnswer(step, answer, when));
  const { variant } = answer as Decide;
  if (variant !== undefined) {
    const served = feature.variants.get(variant) as Served;
    return leaveRest(feature, stepDecision(feature, ask, step, answer as Decide, served, fallback), at + 1, traces);
  }
  const cause = "failed" in answer ? answer.failed : (answer as Abstain).abstain;
  if (cause === "no_match") return askFrom(feature, ask, at + 1, fallback, traces);
  const first = fallback ?? { from: step.id, cause };
  return step.toFallback ? fallBack(feature, ask, at + 1, first, traces) : askFrom(feature, ask, at + 1, first, traces);
}

function fallBack(
  feature: CompiledFeature,
  ask: EngineAsk,
  from: number,
  fallback: Fallback | null,
  traces: StepTrace[] | null,
): Decision {
  return leaveRest(
    feature,
    plainDecision(feature, ask, feature.fallback, "fallback", "DEFAULT", fallback),
    from,
    traces,
  );
}

/** The decision, the steps from `from` on noted as not reached. */
function leaveRest(feature: CompiledFeature, decision: Decision, from: number, traces: StepTrace[] | null): Decision {
  if (traces === null) return decision;
  for (const step of feature.steps.slice(from)) traces.push(traceUnreached(step));
  return { ...decision, trace: { steps: traces } };
}
