import type { ConditionTrace, Decision, StepTrace } from "../decision/decision.ts";
import { MAX_CHAIN } from "../feature/check-configuration.ts";
import type { Abstain, Decide } from "../strategy.ts";
import type { EngineAsk } from "./ask.ts";
import { askExperiment } from "./ask-experiment.ts";
import { closedBreaker } from "./breaker.ts";
import { type CompiledFeature, planOf } from "./compile-feature.ts";
import { decideQuickly } from "./decide-quickly.ts";
import { traceAnswer, traceSkipped, traceUnreached } from "./explain.ts";
import { plainDecision, stepDecision } from "./make-decision.ts";
import type { CompiledStep, Plan } from "./plan.ts";
import { type Answer, messageOf, runStep } from "./run-step.ts";
import { type Served, serve } from "./served.ts";

/** Asks the experiment, then the steps. Never throws and never rejects; a promise only when a step answers with one. */
export function decide(feature: CompiledFeature, ask: EngineAsk): Decision | Promise<Decision> {
  try {
    const { sides } = feature;
    const quickly = sides === null || isFailing(feature.plan) ? null : decideQuickly(feature, ask, feature, sides);
    return quickly ?? follow(planOf(feature, ask.snapshot.strategies), feature, ask);
  } catch {
    return giveUp(feature, ask);
  }
}

/** That the step which places users has failed lately, when it was asked to. */
function isFailing(plan: Plan | null): boolean {
  return plan !== null && (plan.steps[0] as CompiledStep).breaker.failures !== 0;
}

function follow(plan: Plan, feature: CompiledFeature, ask: EngineAsk): Decision | Promise<Decision> {
  if (!plan.enabled) return switchedOff(plan, feature, ask);
  const assigned = plan.experiment === null ? null : askExperiment(feature, plan.experiment, ask);
  if (assigned !== null) return leaveRest(plan, ask, 0, assigned);
  const decision = askFrom(plan, feature, ask, 0);
  return decision instanceof Promise ? neverReject(decision, feature, ask) : decision;
}

/** Its own function, as `resume` is: a closure in `follow` would cost every decision an allocation. */
function neverReject(decision: Promise<Decision>, feature: CompiledFeature, ask: EngineAsk): Promise<Decision> {
  return decision.catch(() => giveUp(feature, ask));
}

function switchedOff(plan: Plan, feature: CompiledFeature, ask: EngineAsk): Decision {
  return leaveRest(plan, ask, 0, plainDecision(feature, ask, plan.off, "feature_disabled", "DISABLED"));
}

/** Only a defect of the engine itself, or a stack that ran out, leads here. */
function giveUp(feature: CompiledFeature, ask: EngineAsk): Decision {
  ask.fallback = { from: "engine", cause: "error" };
  const { plan, definition } = feature;
  const served = plan?.fallback ?? serve(definition, definition.fallback_variant);
  return plainDecision(feature, ask, served, "fallback", "ERROR");
}

/** A method, not a closure: nothing is allocated for the many features that ask about no other. */
export function variantOf(this: EngineAsk, key: string): string | undefined {
  this.served ??= new Map();
  if (this.served.has(key)) return this.served.get(key);
  const feature = this.snapshot.features.get(key);
  if (feature === undefined || this.depth >= MAX_CHAIN) return undefined;
  // Noted before it is known: a feature that leads back to itself finds itself missing.
  this.served.set(key, undefined);
  const decision = decide(feature, {
    ...this,
    explain: false,
    depth: this.depth + 1,
    fallback: null,
    traces: null,
  });
  // Its steps are not waited for, so there is no promise; if there were, this is what a failure serves.
  const variant = (decision instanceof Promise ? feature.definition.fallback_variant : decision.variant) ?? undefined;
  this.served.set(key, variant);
  return variant;
}

/** Asks the steps from `from` on. */
function askFrom(plan: Plan, feature: CompiledFeature, ask: EngineAsk, from: number): Decision | Promise<Decision> {
  for (let at = from; at < plan.steps.length; at += 1) {
    const step = plan.steps[at] as CompiledStep;
    let when: ConditionTrace | undefined;
    let answer: Answer | Promise<Answer> | null = null;
    if (step.when !== null)
      try {
        if (ask.traces !== null) when = step.when.explain(ask);
        if (when === undefined ? !step.when.test(ask) : when.result !== "yes") answer = SKIPPED;
      } catch (error) {
        answer = { failed: "error", detail: messageOf(error) };
      }
    if (answer === null && step.quick !== null && step.breaker.failures === 0) {
      const decided = decideQuickly(feature, ask, step.quick, step.quick.sides);
      if (decided === null) continue;
      if (decided !== undefined) return decided;
    }
    answer ??= runStep(step, ask, ask.snapshot.timing, ask.depth === 0);
    if (answer instanceof Promise) return resume(answer, plan, feature, ask, at, when);
    const decision = weigh(plan, feature, ask, at, answer, when);
    if (decision !== null) return decision;
  }
  return fallBack(plan, feature, ask, plan.steps.length);
}

const SKIPPED: Abstain = { abstain: "no_match" };

async function resume(
  pending: Promise<Answer>,
  plan: Plan,
  feature: CompiledFeature,
  ask: EngineAsk,
  at: number,
  when: ConditionTrace | undefined,
): Promise<Decision> {
  return weigh(plan, feature, ask, at, await pending, when) ?? askFrom(plan, feature, ask, at + 1);
}

/** What step `at` decided; null when the next one is to be asked. */
function weigh(
  plan: Plan,
  feature: CompiledFeature,
  ask: EngineAsk,
  at: number,
  answer: Answer,
  when: ConditionTrace | undefined,
): Decision | null {
  const step = plan.steps[at] as CompiledStep;
  ask.traces?.push(answer === SKIPPED ? traceSkipped(step, when) : traceAnswer(step, answer, when));
  const { variant } = answer as Decide;
  if (variant !== undefined) {
    const decision = stepDecision(feature, ask, step, answer as Decide, plan.variants.get(variant) as Served);
    return ask.traces === null ? decision : leaveRest(plan, ask, at + 1, decision);
  }
  const cause = "failed" in answer ? answer.failed : (answer as Abstain).abstain;
  if (cause === "no_match") return null;
  ask.fallback ??= { from: step.id, cause };
  return step.toFallback ? fallBack(plan, feature, ask, at + 1) : null;
}

function fallBack(plan: Plan, feature: CompiledFeature, ask: EngineAsk, from: number): Decision {
  return leaveRest(plan, ask, from, plainDecision(feature, ask, plan.fallback, "fallback", "DEFAULT"));
}

/** The decision with its trace, if it was asked for: the steps from `from` on were not reached. */
function leaveRest(plan: Plan, ask: EngineAsk, from: number, decision: Decision): Decision {
  if (ask.traces === null) return decision;
  for (const step of plan.steps.slice(from)) ask.traces.push(traceUnreached(step, wouldSay(step, ask)));
  return { ...decision, trace: { steps: ask.traces } };
}

/**
 * What a step that is not reached would answer; undefined when only a promise could tell. Its breaker is left out of it: a
 * question that changes nothing must not close or open anything.
 */
function wouldSay(step: CompiledStep, ask: EngineAsk): StepTrace | undefined {
  try {
    const when = step.when?.explain(ask);
    if (when !== undefined && when.result !== "yes") return traceSkipped(step, when);
    const answer = runStep({ ...step, breaker: closedBreaker() }, ask, ask.snapshot.timing, false);
    return answer instanceof Promise || isPromised(answer) ? undefined : traceAnswer(step, answer, when);
  } catch {
    return undefined;
  }
}

/** Refused because it answers with a promise: true of this question only, not of the step. */
function isPromised(answer: Answer): boolean {
  return "failed" in answer && answer.failed === "timeout";
}
