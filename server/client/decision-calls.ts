import type * as createEvent from "../http/routes/create-event.ts";
import type * as decisions from "../http/routes/decisions.ts";
import type * as evaluate from "../http/routes/evaluate.ts";
import type * as batch from "../http/routes/evaluate-batch.ts";
import type * as events from "../http/routes/events.ts";
import type * as users from "../http/routes/users.ts";
import type { BodyOf, Caller, CallOptions, QueryOf } from "./caller.ts";

/** Who is asked about: `user_id` and any attributes. */
export type AskedUser = BodyOf<typeof evaluate.route>["user"];
export type NewEvent = BodyOf<typeof createEvent.route>;

/** Milliseconds for calls that do much at once, unless they say otherwise. */
const LONG = 60_000;

/** Decisions, and what users did. Every call rejects with ApiError when it does not succeed. */
export function decisionCalls({ call, callWithHeaders }: Caller) {
  return {
    /** Decides many features (default: all) for one user. */
    evaluateAll: async (user: AskedUser, feature_keys?: readonly string[], options?: CallOptions) => {
      const body = { user, feature_keys };
      return (await call<typeof batch.route>("post", "/evaluate/batch", { body }, options)).results;
    },
    /** Decides one feature for up to 1,000 users; `at` (ISO) replays it as of that time. */
    evaluateUsers: async (
      feature_key: string,
      users: readonly AskedUser[],
      { explain, at, ...options }: { explain?: boolean; at?: string } & CallOptions = {},
    ) => {
      const body = { feature_key, users, explain, at };
      const patient = { timeout: LONG, ...options };
      return (await call<typeof batch.route>("post", "/evaluate/batch", { body }, patient)).results;
    },
    /** Stored decisions, newest first. */
    listDecisions: async (query?: QueryOf<typeof decisions.list>, options?: CallOptions) =>
      (await call<typeof decisions.list>("get", "/decisions", { query }, options)).decisions,
    /** What was served of each feature in the last hour, and when last. */
    decisionSummary: (options?: CallOptions) =>
      call<typeof decisions.summary>("get", "/decisions/summary", {}, options),

    /** Stores one event; it is stored when this resolves. `track` is for events that may wait. */
    storeEvent: (event: Omit<NewEvent, "timestamp"> & Partial<Pick<NewEvent, "timestamp">>, options?: CallOptions) => {
      const body = { timestamp: new Date().toISOString(), ...event };
      return call<typeof createEvent.route>("post", "/events", { body }, options);
    },
    /** Stores 1 to 5,000 events; invalid ones are rejected alone. */
    ingest: (source: string, list: readonly NewEvent[], options?: CallOptions) =>
      call<typeof events.ingest>(
        "post",
        "/ingest/events",
        { body: { source, events: list } },
        { timeout: LONG, ...options },
      ),
    /** One page, newest first; `next_cursor` goes into the next page's `cursor`, and is null on the last. */
    listEvents: async (query?: QueryOf<typeof events.list>, options?: CallOptions) => {
      const { body, headers } = await callWithHeaders<typeof events.list>("get", "/events", { query }, options);
      return { events: body, next_cursor: headers.get("x-next-cursor") };
    },
    /** A user's events by type: the sums that models learn from. */
    getUser: (user_id: string, options?: CallOptions) =>
      call<typeof users.read>("get", "/users/{user_id}", { params: { user_id } }, options),
  };
}
