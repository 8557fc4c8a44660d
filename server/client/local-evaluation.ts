import type { Decision } from "../../core/decision/decision.ts";
import { evaluate, evaluateAll, readUser } from "../../core/engine/evaluate.ts";
import { userIdOf } from "../../core/engine/make-decision.ts";
import { ownUser } from "../../core/engine/own-user.ts";
import { compile, type Snapshot } from "../../core/engine/snapshot.ts";
import type { Profile } from "../../core/event/profile.ts";
import type { Clock } from "../../core/ports.ts";
import type { User } from "../../core/strategy.ts";
import type { PluginModule } from "../../plugins/check-module.ts";
import { gatherPlugins, plugIn } from "../../plugins/gather-plugins.ts";
import type * as asked from "../http/routes/evaluate.ts";
import type { ServedSnapshot } from "../http/routes/snapshot.ts";
import { createObserver } from "../observer.ts";
import { profileCache } from "../profile-cache.ts";
import { systemTiming } from "../system-timing.ts";
import { type BodyOf, type CallerOptions, createCaller } from "./caller.ts";
import type { Change, Evaluator } from "./evaluator.ts";
import { foreignFeatures } from "./foreign-features.ts";
import { remoteExposures } from "./remote-exposures.ts";
import { remoteProfiles } from "./remote-profiles.ts";
import { followSnapshot, type SnapshotPersistence } from "./snapshot-feed.ts";

export interface LocalEvaluationOptions extends Omit<CallerOptions, "actor"> {
  /** Keeps the last good snapshot, to start from when the server is away. Default: it is lost with the process. */
  readonly persist?: SnapshotPersistence;
  /**
   * The modules of the server's own plugins. Features that need one that is missing are asked from the server. Operators and
   * bucketing algorithms are the whole process's. Default: none.
   */
  readonly plugins?: readonly PluginModule[];
  /** Milliseconds a user's profile may take, for features whose models want it. Default 1,000. */
  readonly profileBudget?: number;
  /** Milliseconds a profile is used before it is read again, as the server does. Default 30,000. */
  readonly profileAge?: number;
  /** Milliseconds exposures are collected before they are reported. Default 1,000. */
  readonly reportAfter?: number;
  /** Exposures kept while the server is away; then the newest is dropped. Default 50,000. */
  readonly exposureCapacity?: number;
  /** Milliseconds `ready` waits. Default 10,000. */
  readonly patience?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A decision, as the server would answer it. */
export type LocalDecision = Decision & { readonly decision_id: string };

export interface LocalEvaluation extends Evaluator {
  /** Synchronous unless a model wants a profile that is not at hand, a step answers with a promise, or the server is asked. */
  evaluate(feature_key: string, user: User): LocalDecision | Promise<LocalDecision>;
  evaluateMany(feature_keys: readonly string[], user: User): Promise<readonly LocalDecision[]>;
  readonly state: LocalState;
  /** Reports what waits; resolves when it was tried. */
  flush(): Promise<void>;
}

export interface LocalState {
  /** undefined: no snapshot yet. */
  readonly revision: number | undefined;
  /** True while changes are not heard of: decisions carry the reason STALE. */
  readonly stale: boolean;
  /** Features that are asked from the server, for want of a plugin. */
  readonly remote: readonly string[];
  /** refused: by the server, for good. dropped: because too many waited, or the process ended. */
  readonly exposures: { readonly waiting: number; readonly dropped: number; readonly refused: number };
}

const UNCOUNTED = { counter: () => ({ add() {} }), gauge() {} };

/**
 * Decides in this process by the server's own engine, from a snapshot that follows the server's changes, and reports the
 * exposures the server would have stored. Ends with `close`.
 *
 * @throws Error when a plugin breaks the contract: the message says what is wrong
 * @example
 * const flags = createLocalEvaluation({ url: "http://127.0.0.1:8000", persist: snapshotFile("flags.json") });
 * await flags.ready();
 * const { enabled } = await flags.evaluate("new_checkout", { user_id: "ada" });
 */
export function createLocalEvaluation(options: LocalEvaluationOptions): LocalEvaluation {
  const { clock = { now: Date.now }, patience = 10_000, plugins = [] } = options;
  const caller = createCaller(options);
  const gathered = gatherPlugins(
    plugins.map((module, at) => ({ name: module.strategy?.id ?? `plugins[${at}]`, module })),
  );
  if (gathered.operators.size + gathered.bucketing.size > 0) plugIn(gathered);
  const listeners = new Set<(change: Change) => void>();
  let snapshot: Snapshot | undefined;
  let foreign: ReadonlySet<string> = new Set();
  let refused = 0;

  const observer = createObserver({
    exposures: remoteExposures(caller, () => {
      refused += 1;
    }),
    metrics: UNCOUNTED,
    capacity: options.exposureCapacity ?? 50_000,
    flushAfterMs: options.reportAfter ?? 1_000,
    longestPauseMs: 30_000,
    // Whoever asks may go on to use the object for somebody else.
    keepUser: ownUser,
  });
  const profiles = profileCache(remoteProfiles(caller), clock, {
    budgetMs: options.profileBudget ?? 1_000,
    ttlMs: options.profileAge ?? 30_000,
  });
  const feed = followSnapshot({
    caller,
    environment: options.environment,
    persist: options.persist,
    take,
    onStale: (message) => tell({ type: "stale", message }),
    onFresh: () => tell({ type: "fresh" }),
  });

  function take(served: ServedSnapshot): void {
    const before = snapshot;
    snapshot = compile(served, gathered.strategies, { previous: before, timing: systemTiming });
    foreign = foreignFeatures(snapshot);
    const { environment, revision } = served;
    if (before !== undefined) tell({ type: "changed", environment, revision });
  }

  function tell(change: Change): void {
    for (const listener of [...listeners]) listener(change);
  }

  function decide(held: Snapshot, key: string, user: User, profile: Profile | undefined) {
    const at = clock.now();
    const decision = evaluate(held, key, user, { now: at, profile, stale: feed.stale });
    if (decision instanceof Promise) return decision.then((made) => observed(made, held, user, profile, at));
    return observed(decision, held, user, profile, at);
  }

  function observed(
    decision: Decision,
    held: Snapshot,
    user: User,
    profile: Profile | undefined,
    at: number,
  ): LocalDecision {
    const { environment } = held;
    const { id: decision_id } = observer.decided(decision, { environment, user, profile, snapshot: held, at });
    return { ...decision, decision_id };
  }

  /** The server's own answer, which it has stored itself. */
  const askServer = (feature_key: string, user: User) => {
    const body = { feature_key, user } as BodyOf<typeof asked.route>;
    return caller.call<typeof asked.route>("post", "/evaluate", { body }) as Promise<LocalDecision>;
  };

  const profileOf = (held: Snapshot, userId: string): Profile | undefined | Promise<Profile | undefined> =>
    feed.stale
      ? profiles.last(held.environment, userId)
      : (profiles.peek(held.environment, userId) ?? profiles.load(held.environment, userId));

  async function decideElsewhere(held: Snapshot, key: string, user: User): Promise<LocalDecision> {
    if (!feed.stale)
      try {
        return await askServer(key, user);
      } catch {
        // Then what cannot be asked here falls back, and says so.
      }
    const userId = idOf(user);
    return decide(held, key, user, userId === undefined ? undefined : profiles.last(held.environment, userId));
  }

  async function decideWithProfile(held: Snapshot, key: string, user: User, userId: string): Promise<LocalDecision> {
    const profile = await profileOf(held, userId);
    // Asked for in vain: the server may still have it.
    return profile === undefined ? decideElsewhere(held, key, user) : decide(held, key, user, profile);
  }

  function evaluateOne(key: string, user: User): LocalDecision | Promise<LocalDecision> {
    const held = snapshot;
    if (held === undefined) return askServer(key, user);
    if (foreign.size > 0 && foreign.has(key)) return decideElsewhere(held, key, user);
    if (held.features.get(key)?.profile !== true) return decide(held, key, user, undefined);
    const userId = idOf(user);
    if (userId === undefined) return decide(held, key, user, undefined);
    const known = profiles.peek(held.environment, userId);
    return known === undefined ? decideWithProfile(held, key, user, userId) : decide(held, key, user, known);
  }

  return {
    evaluate: evaluateOne,

    async evaluateMany(keys, user) {
      const held = snapshot;
      const userId = keys.some((key) => held?.features.get(key)?.profile) ? idOf(user) : undefined;
      const profile = held === undefined || userId === undefined ? undefined : await profileOf(held, userId);
      const unknown = userId !== undefined && profile === undefined;
      if (held === undefined || unknown || keys.some((key) => foreign.has(key)))
        return Promise.all(keys.map(async (key) => evaluateOne(key, user)));
      const at = clock.now();
      const decisions: (Decision | Promise<Decision>)[] = [];
      const about = { now: at, profile, stale: feed.stale };
      evaluateAll(held, keys, user, about, (decision) => decisions.push(decision));
      return (await Promise.all(decisions)).map((decision) => observed(decision, held, user, profile, at));
    },

    async ready() {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        const why = feed.problem ?? "the server has not answered";
        late.reject(new Error(`There is no snapshot after ${patience} ms, fetched or kept: ${why}`));
      }, patience);
      await Promise.race([feed.first, late.promise]).finally(() => clearTimeout(timer));
    },

    get environment() {
      return snapshot?.environment ?? options.environment;
    },

    onChange(listener) {
      // Wrapped, so that the same function may listen twice.
      const own = (change: Change) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },

    get state() {
      return {
        revision: snapshot?.revision,
        stale: feed.stale,
        remote: [...foreign],
        exposures: { ...observer.backlog, refused },
      };
    },

    flush: () => observer.flush(),

    async close() {
      listeners.clear();
      await Promise.all([feed.close(), observer.close()]);
    },
  };
}

/** As the server knows the user; undefined: it knows no such one. */
function idOf(user: User): string | undefined {
  return userIdOf(readUser(user)) || undefined;
}
