import type { Fallback, StepTrace } from "../decision/decision.ts";
import type { Profile } from "../event/profile.ts";
import type { Ask, User } from "../strategy.ts";
import type { Snapshot } from "./snapshot.ts";

/** The ask of one evaluation, and where it stands. A new one each time: a promise may hold on to it. */
export interface EngineAsk extends Ask {
  readonly snapshot: Snapshot;
  /** As text; null when the user has none. */
  readonly userId: string | null;
  /** True while the snapshot may be out of date. */
  readonly stale: boolean;
  /** How many prerequisites deep; 0: the feature that was asked for. */
  readonly depth: number;
  /** What other features serve this user, each decided once; null until one is asked about. */
  served: Map<string, string | undefined> | null;
  /** The first failure so far. */
  fallback: Fallback | null;
  /** The steps so far; null unless the trace is wanted. */
  readonly traces: StepTrace[] | null;
}

export interface AskOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Keeps the trace. Default false. */
  readonly explain?: boolean | undefined;
  /** The user's profile, for features whose `profile` is true. */
  readonly profile?: Profile | undefined;
  /** True while the snapshot may be out of date: decisions carry the reason STALE. Default false. */
  readonly stale?: boolean | undefined;
}

/** The user as strategies may rely on it: an object that inherits nothing of its own, so that a plain read is safe. */
export function plainUser(user: unknown): User {
  if (typeof user !== "object" || user === null) return {};
  // Asking for the prototype costs more than the rest of a small rule; nearly every user answers this first question.
  if ((user as { constructor?: unknown }).constructor === Object) return user as User;
  const prototype: unknown = Object.getPrototypeOf(user);
  return prototype === Object.prototype || prototype === null ? (user as User) : { ...user };
}
