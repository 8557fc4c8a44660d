import type { Decision } from "../decision/decision.ts";
import type { Profile } from "../event/profile.ts";
import type { User } from "../strategy.ts";
import type { Snapshot } from "./snapshot.ts";

export interface EvaluateOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Keeps the trace. Default false. */
  readonly explain?: boolean | undefined;
  /** The user's profile, for features whose `profile` is true. */
  readonly profile?: Profile | undefined;
  /** True while the snapshot may be out of date: decisions carry the reason STALE. Default false. */
  readonly stale?: boolean | undefined;
}

/** Decides one feature for one user. Never throws and never rejects; a promise only when a step answers with one. */
export function evaluate(
  _snapshot: Snapshot,
  _featureKey: string,
  _user: User,
  _options: EvaluateOptions,
): Decision | Promise<Decision> {
  throw new Error("Being written");
}
