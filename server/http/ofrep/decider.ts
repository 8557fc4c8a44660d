import type { Decision, StepTrace } from "../../../core/decision/decision.ts";
import { evaluateAll } from "../../../core/engine/evaluate.ts";
import type { CompiledFeature, Snapshot } from "../../../core/engine/snapshot.ts";
import type { Profile } from "../../../core/event/profile.ts";
import type { Services } from "../../services.ts";
import { HttpError } from "../errors.ts";
import { profileFor, wantsProfile } from "../profile-for.ts";
import { starting } from "../routes/evaluate.ts";
import type { AskedContext } from "./asked-context.ts";
import { KEY_MISSING } from "./flag-answer.ts";

export type DeciderServices = Pick<Services, "clock" | "snapshots" | "profiles" | "observer">;

/** Which flags of an environment are asked for whom. */
export interface Question extends AskedContext {
  readonly environment: string;
  readonly snapshot: Snapshot;
  /** undefined: all. */
  readonly keys: readonly string[] | undefined;
}

/** The way to the engine and the observer that both OFREP calls share. */
export interface Decider {
  /** @throws HttpError 503 before the environment's first snapshot */
  snapshot(environment: string): Snapshot;
  /** The user's profile when a flag wants it. @throws HttpError 429 when too many callers wait for theirs */
  profile(question: Question): Promise<Profile | undefined>;
  /** Decides, and tells the observer. In the order of the keys, or of the snapshot. */
  decide(question: Question, profile: Profile | undefined): Promise<readonly Decision[]>;
}

/** Callers that may wait for a profile at once: more would only queue for connections beyond the budget. */
const MAX_WAITING = 200;

export function createDecider(services: DeciderServices): Decider {
  const { clock, snapshots, observer } = services;
  let waiting = 0;
  return {
    snapshot(environment) {
      const snapshot = snapshots.get(environment);
      if (snapshot === undefined) throw starting();
      return snapshot;
    },

    async profile({ environment, snapshot, keys, targetingKey }) {
      if (targetingKey === undefined || !wantsProfile(snapshot, keys)) return undefined;
      const profile = profileFor(services, environment, targetingKey);
      if (!(profile instanceof Promise)) return profile;
      if (waiting >= MAX_WAITING) throw tooManyWaiting();
      waiting += 1;
      return profile.finally(() => {
        waiting -= 1;
      });
    },

    async decide({ environment, snapshot, keys, user, targetingKey }, profile) {
      const at = clock.now();
      const explain = targetingKey === undefined;
      const pending: (Decision | Promise<Decision>)[] = [];
      const options = { now: at, explain, profile, stale: snapshots.stale };
      evaluateAll(snapshot, keys, user, options, (decision) => pending.push(decision));
      const decisions: Decision[] = [];
      for (const made of pending) {
        const decision = explain ? keyless(await made, snapshot) : made instanceof Promise ? await made : made;
        observer.decided(decision, { environment, user, profile, snapshot, at });
        decisions.push(decision);
      }
      return decisions;
    },
  };
}

function tooManyWaiting(): HttpError {
  return new HttpError(
    429,
    "too_many_requests",
    `${MAX_WAITING} evaluations wait for the events of their users already; come again in a second`,
    { headers: { "Retry-After": "1" } },
  );
}

/**
 * A decision for nobody in particular stands when a step made it, or when no key would have helped. Where a step divides
 * by user and nothing decided in its place, the caller is told instead of served the fallback.
 */
function keyless(decision: Decision, snapshot: Snapshot): Decision {
  const { trace, ...untraced } = decision;
  const feature = snapshot.features.get(decision.feature_key);
  const lacking = trace?.steps.some(
    (step) => step.cause === "missing_features" && feature && asksKey(step, feature, snapshot),
  );
  if (decision.decision_source !== "fallback" || !lacking) return untraced;
  return { ...untraced, enabled: false, variant: null, value: null, decision_source: KEY_MISSING, reason: "ERROR" };
}

/** By what its strategy says it reads, else by the unit in its config. */
function asksKey({ id, strategy }: StepTrace, feature: CompiledFeature, snapshot: Snapshot): boolean {
  const config = feature.definition.steps.find((step) => step.id === id)?.config;
  try {
    const reads = snapshot.strategies.get(strategy)?.reads?.(config);
    if (reads !== undefined) return reads.includes("/user_id");
  } catch {
    // A plugin's fault is not the caller's.
  }
  const { unit } = (config ?? {}) as { unit?: unknown };
  return Array.isArray(unit) && unit.includes("user_id");
}
