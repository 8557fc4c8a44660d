import { getLogger } from "@logtape/logtape";
import type * as snapshots from "../http/routes/snapshot.ts";
import type { ServedSnapshot } from "../http/routes/snapshot.ts";
import { ApiError } from "./api-error.ts";
import { backoff } from "./backoff.ts";
import type { Caller } from "./caller.ts";
import { hearChanges } from "./hear-changes.ts";
import { pause } from "./pause.ts";

/** Where the last good snapshot is kept for a start without the server: a file, localStorage, anything that holds a text. */
export interface SnapshotPersistence {
  /** What was saved last; undefined or null: nothing. */
  load(): string | null | undefined | Promise<string | null | undefined>;
  save(text: string): void | Promise<void>;
}

export interface SnapshotFeedOptions {
  readonly caller: Caller;
  /** Snapshots of another one are not taken from `persist`. Default: any. */
  readonly environment: string | undefined;
  readonly persist: SnapshotPersistence | undefined;
  /** Told of every snapshot, first of the one that was kept. */
  readonly take: (snapshot: ServedSnapshot) => void;
  readonly onStale: (message: string) => void;
  readonly onFresh: () => void;
}

/** The newest snapshot of the server, for as long as it is not closed. */
export interface SnapshotFeed {
  /** True while changes are not heard of. */
  readonly stale: boolean;
  /** Why, in words; undefined: nothing was tried yet, or nothing is wrong. */
  readonly problem: string | undefined;
  /** Resolves when the first attempt to fetch one is over and there is one, fetched or kept. */
  readonly first: Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds between two looks while the server takes no more streams. */
const POLL = 30_000;

const log = getLogger(["adaptive", "local"]);

export function followSnapshot(options: SnapshotFeedOptions): SnapshotFeed {
  const { caller, environment, persist, take, onStale, onFresh } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const { promise: first, resolve: answerable } = Promise.withResolvers<void>();
  let held: Pick<ServedSnapshot, "etag" | "revision"> | undefined;
  let stale = true;
  let problem: string | undefined;
  let saving = Promise.resolve();

  async function restore(): Promise<void> {
    try {
      const text = (await persist?.load()) ?? undefined;
      if (text === undefined) return;
      const kept = read(JSON.parse(text));
      if (environment === undefined || kept.environment === environment) hold(kept);
    } catch (error) {
      log.warning("The snapshot that was kept cannot be used: {error}", { error });
    }
  }

  function hold(snapshot: ServedSnapshot): void {
    held = { etag: snapshot.etag, revision: snapshot.revision };
    take(snapshot);
  }

  /** `heard`: the newest revision known of, so that a server that lags behind another does not answer with an older one. */
  async function fetchNewest(heard = held?.revision): Promise<void> {
    const headers: Record<string, string> = held === undefined ? {} : { "If-None-Match": held.etag };
    const query = heard === undefined ? undefined : { revision: String(heard) };
    const ask = { headers, query };
    const fetched = await caller
      .call<typeof snapshots.read>("get", "/snapshot", ask, { signal, timeout: PATIENCE })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 304) return undefined;
        throw error;
      });
    if (fetched === undefined) return;
    const snapshot = read(fetched);
    hold(snapshot);
    if (persist !== undefined) saving = saving.then(() => save(persist, snapshot));
  }

  /** Until the stream ends or breaks, or is refused. Resolves to the milliseconds the server asks to wait. */
  async function listen(): Promise<number> {
    const changes = hearChanges(caller, { since: held?.revision, signal });
    try {
      for (;;) {
        const heard = await changes.next().catch(streamless);
        if (typeof heard === "number") return heard;
        if (heard.done) return 0;
        const revision = Number(heard.value.id);
        if (revision > (held?.revision ?? -1)) await fetchNewest(revision);
      }
    } finally {
      await changes.return(undefined);
    }
  }

  async function follow(): Promise<void> {
    await restore();
    for (let failures = 0; !signal.aborted; ) {
      let wait = 0;
      try {
        await fetchNewest();
        answerable();
        if (stale) {
          stale = false;
          problem = undefined;
          onFresh();
        }
        failures = 0;
        wait = await listen();
      } catch (error) {
        if (signal.aborted) return;
        if (held !== undefined) answerable();
        problem = error instanceof Error ? error.message : String(error);
        if (!stale || failures === 0) onStale(problem);
        stale = true;
        if (error instanceof ApiError) wait = error.retryAfter ?? 0;
      }
      failures += 1;
      await pause(backoff(failures, wait), signal);
    }
  }

  const following = follow();
  return {
    get stale() {
      return stale;
    },
    get problem() {
      return problem;
    },
    first,
    async close() {
      closing.abort();
      await following;
      await saving;
    },
  };
}

/** Milliseconds a snapshot may take to arrive: models may be large. */
const PATIENCE = 30_000;

/** A server that answers but refuses the stream is asked now and then instead; when it is gone, the next look will tell. */
function streamless(error: unknown): number {
  return error instanceof ApiError && error.status > 0 ? Math.max(POLL, error.retryAfter ?? 0) : 0;
}

/** Whatever is in it is compiled with care; this only tells a snapshot from something else. */
function read(found: unknown): ServedSnapshot {
  const { contract, environment, revision, etag, features, segments, models, experiments } = (found ??
    {}) as Partial<ServedSnapshot>;
  if (contract !== 1)
    throw new Error(`A snapshot of contract 1 was expected, found ${String(contract)}: upgrade this client`);
  const whole =
    typeof environment === "string" &&
    typeof revision === "number" &&
    typeof etag === "string" &&
    [features, segments, models, experiments].every(Array.isArray);
  if (!whole) throw new Error("A snapshot was expected, with features, segments, models and experiments");
  return found as ServedSnapshot;
}

async function save(persist: SnapshotPersistence, snapshot: ServedSnapshot): Promise<void> {
  try {
    await persist.save(JSON.stringify(snapshot));
  } catch (error) {
    log.warning("The snapshot could not be kept for the next start: {error}", { error });
  }
}
