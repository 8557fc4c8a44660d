import type { Decision } from "../decision/decision.ts";
import type { User } from "../strategy.ts";
import { type AskOptions, type EngineAsk, plainUser } from "./ask.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import { decide, variantOf } from "./decide.ts";
import { notFound, userIdOf } from "./make-decision.ts";
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
  return feature === undefined ? notFound(featureKey, known) : decide(feature, openAsk(snapshot, known, options));
}

/**
 * Decides many features for one user and hands over one decision after the other, in the order of the keys; undefined: all
 * features, in the snapshot's order. Each is what `evaluate` would answer, but the user is read once, and what several
 * features ask about another is decided once.
 */
export function evaluateAll(
  snapshot: Snapshot,
  featureKeys: readonly string[] | undefined,
  user: User,
  options: EvaluateOptions,
  take: (decision: Decision | Promise<Decision>) => void,
): void {
  const known = readUser(user);
  let ask = openAsk(snapshot, known, options);
  const answer = (feature: CompiledFeature) => {
    const decision = decide(feature, ask);
    // A promise goes on with its ask, and a trace with its list; a failure is its feature's own.
    if (ask.traces !== null || decision instanceof Promise) ask = openAsk(snapshot, known, options, ask.served);
    else ask.fallback = null;
    take(decision);
  };
  if (featureKeys === undefined) for (const feature of snapshot.features.values()) answer(feature);
  else
    for (const key of featureKeys) {
      const feature = snapshot.features.get(key);
      if (feature === undefined) take(notFound(key, known));
      else answer(feature);
    }
}

export function readUser(user: unknown): User {
  try {
    return plainUser(user);
  } catch {
    return {};
  }
}

export function openAsk(
  snapshot: Snapshot,
  user: User,
  options: EvaluateOptions,
  served: EngineAsk["served"] = null,
): EngineAsk {
  const explain = options.explain === true;
  return {
    user,
    now: options.now,
    explain,
    profile: options.profile,
    variantOf,
    snapshot,
    userId: userIdOf(user),
    stale: options.stale === true,
    depth: 0,
    served,
    fallback: null,
    traces: explain ? [] : null,
  };
}
