import type { User } from "../../core/strategy.ts";
import type * as evaluateFlag from "../http/ofrep/evaluate-flag.ts";
import type * as evaluateOne from "../http/routes/evaluate.ts";
import type * as batch from "../http/routes/evaluate-batch.ts";
import type * as events from "../http/routes/events.ts";
import { type AnswerOf, type CallerOptions, type CallOptions, createCaller } from "./caller.ts";
import { createChanges } from "./changes.ts";
import { type AskedUser, decisionCalls } from "./decision-calls.ts";
import type { Evaluated, Evaluator } from "./evaluator.ts";
import { featureCalls } from "./feature-calls.ts";
import { learningCalls } from "./learning-calls.ts";
import { operationCalls } from "./operation-calls.ts";
import { safeReads } from "./safe-reads.ts";
import { createTracker, type TrackingOptions } from "./tracker.ts";

export { ApiError } from "./api-error.ts";
export type { CallOptions } from "./caller.ts";
export type { Details, ErrorCode } from "./details.ts";
export type { Change, Evaluated, Evaluator } from "./evaluator.ts";
export { type SafeReads, safeReads } from "./safe-reads.ts";
export type { Lost, TrackedEvent, TrackingOptions } from "./tracker.ts";

export interface ClientOptions extends CallerOptions {
  readonly tracking?: TrackingOptions;
}

export type Client = ReturnType<typeof createClient>;

type Decision = AnswerOf<typeof evaluateOne.route>;
type EvaluateOptions = CallOptions & { readonly explain?: boolean };

/**
 * A client over fetch, for Node, Deno and browsers.
 *
 * - Reads (`value`, `enabled`, `details`, `values`) never throw: what cannot be read is the caller's own default.
 * - `track` never throws either: events wait, are sent in batches, and again when that fails; `close` sends the rest.
 * - Every other call asks the server at once and rejects with ApiError when that does not succeed.
 *
 * @example
 * const flags = createClient({ url: "http://127.0.0.1:8000" });
 * const on = await flags.value("new-checkout", { user_id: "ada", plan: "pro" }, false);
 * flags.track({ user_id: "ada", feature_key: "new-checkout", event_type: "used_feature" });
 * await flags.close();
 */
export function createClient(options: ClientOptions) {
  const caller = createCaller(options);
  const changes = createChanges(caller);
  const tracker = createTracker(
    (source, list, { keepalive = false, ...how }) =>
      caller.call<typeof events.ingest>("post", "/ingest/events", { body: { source, events: list }, keepalive }, how),
    options.tracking,
  );

  /** Decides one feature for one user. Without a user_id, features that need none are decided, and only in part told. */
  function evaluate(feature_key: string, user: AskedUser, options?: EvaluateOptions): Promise<Decision>;
  function evaluate(feature_key: string, user: User, options?: EvaluateOptions): Promise<Evaluated>;
  async function evaluate(feature_key: string, user: User | AskedUser, { explain, ...how }: EvaluateOptions = {}) {
    if (user.user_id === undefined) return evaluateForNobody(feature_key, user as User, how);
    const body = { feature_key, user: user as AskedUser, explain };
    return caller.call<typeof evaluateOne.route>("post", "/evaluate", { body }, how);
  }

  /** OFREP's route, for the other one asks for a user_id. */
  async function evaluateForNobody(key: string, user: User, how: CallOptions): Promise<Evaluated> {
    const ask = { params: { key }, body: { context: user } };
    const path = "/ofrep/v1/evaluate/flags/{key}";
    const flag = await caller.call<typeof evaluateFlag.route>("post", path, ask, how);
    const { variant = null, value = null, reason, metadata } = flag;
    const feature_version = Number(metadata.version);
    return { feature_key: key, user_id: null, variant, value, reason, decision_source: "unknown", feature_version };
  }

  async function evaluateMany(feature_keys: readonly string[], user: User): Promise<readonly Evaluated[]> {
    const body = { feature_keys, user: user as AskedUser };
    return (await caller.call<typeof batch.route>("post", "/evaluate/batch", { body })).results;
  }

  return {
    ...decisionCalls(caller),
    ...featureCalls(caller),
    ...learningCalls(caller),
    ...operationCalls(caller),
    ...safeReads({ evaluate, evaluateMany }),
    evaluate,
    evaluateMany,
    /** Stores what a user did, soon: in a batch, and again until it succeeds, but once. */
    track: tracker.track,
    /** Sends what waits, now. */
    flush: tracker.flush,
    /** Events that wait, are stored, and will never be. */
    get tracked() {
      return tracker.tracked;
    },
    /** Calls back when decisions may differ from before. While it listens, a process does not end by itself. */
    onChange: changes.onChange,
    /** Resolves when address, token and environment are right and the server decides; else rejects with ApiError. */
    ready: changes.ready,
    /** As the server told it; undefined before `ready` and `onChange`. */
    get environment() {
      return changes.environment;
    },
    /** Ends `onChange`, and sends what waits, for at most so many milliseconds. Default 5,000. */
    async close(patience?: number) {
      await Promise.all([changes.close(), tracker.close(patience)]);
    },
  } satisfies Evaluator & Record<string, unknown>;
}
