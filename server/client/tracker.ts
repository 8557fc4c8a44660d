import type { ingest } from "../http/routes/events.ts";
import { ApiError } from "./api-error.ts";
import { backoff } from "./backoff.ts";
import type { AnswerOf, CallOptions } from "./caller.ts";
import type { NewEvent } from "./decision-calls.ts";
import { pause } from "./pause.ts";
import { sendBeforeTheEnd } from "./send-before-the-end.ts";

/** Default: `timestamp` now, `event_id` a random one. */
export type TrackedEvent = Omit<NewEvent, "timestamp"> & Partial<Pick<NewEvent, "timestamp">>;

export interface TrackingOptions {
  /** Kept with every event that names none itself. Default "client". */
  readonly source?: string;
  /** Events that are sent at once when they are together, 1 to 5,000. Default 200. */
  readonly batchSize?: number;
  /** Milliseconds an event waits for others. Default 1,000. */
  readonly interval?: number;
  /** Events that may wait while the server is away; when they are so many, the newest is lost. Default 10,000. */
  readonly limit?: number;
  /** Told of each event that will never be stored. Default: it is only counted. */
  readonly onLost?: (event: TrackedEvent, why: Lost) => void;
}

/**
 * Why an event is lost: the server's own code when it rejected the event, or the whole request with a 4xx other than 401, 408, 425 and
 * 429; `queue_full`; `closed` (after `close`, or not sent in time before it); `invalid_type` (it is no JSON).
 */
export interface Lost {
  readonly code: string;
  readonly message: string;
}

export interface Tracker {
  /** Never throws. What is passed may be changed afterwards. */
  track(event: TrackedEvent): void;
  /** Sends what waits, now; resolves when none of it waits any more, or after so many milliseconds. Default 5,000. */
  flush(patience?: number): Promise<void>;
  /** The same, for good: what then still waits is lost, and so is what is tracked afterwards. */
  close(patience?: number): Promise<void>;
  /** Events since the client was made. */
  readonly tracked: { readonly waiting: number; readonly stored: number; readonly lost: number };
}

/** Stores one batch, as POST /ingest/events does. */
type Store = (
  source: string,
  events: readonly NewEvent[],
  options: CallOptions & { readonly keepalive?: boolean },
) => Promise<AnswerOf<typeof ingest>>;

interface Waiting {
  readonly event: NewEvent;
  /** Characters of its JSON. */
  readonly size: number;
}

/** Milliseconds. */
const PATIENCE = 5_000;
/** Characters of JSON in a request. Many proxies take 1 MB, browsers 64 KB of what may outlive its page. */
const REQUEST = 250_000;
const LAST_REQUEST = 60_000;

/** Events wait here until the server has stored or refused them: sent one batch after the other, and again when that fails. */
export function createTracker(store: Store, options: TrackingOptions = {}): Tracker {
  const { source = "client", batchSize = 200, interval = 1_000, limit = 10_000, onLost } = options;
  /** In the order they came. */
  const waiting = new Set<Waiting>();
  const counted = { stored: 0, lost: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  let failures = 0;
  let lastError: ApiError | undefined;
  /** By performance.now(): the server does not want to be asked before. */
  let notBefore = 0;
  let closed = false;
  /** Ends what is still on its way when the client is closed. */
  const gone = new AbortController();
  let unhook: (() => void) | undefined;

  function lose(event: TrackedEvent, why: Lost): void {
    counted.lost += 1;
    try {
      onLost?.(event, { code: why.code, message: why.message });
    } catch {
      // The listener's fault must not keep others from being sent.
    }
  }

  /** Answers with those that still waited: of two answers to the same event one counts. */
  function settle(batch: readonly Waiting[]): readonly Waiting[] {
    const settled = batch.filter((one) => waiting.delete(one));
    if (waiting.size === 0) {
      unhook?.();
      unhook = undefined;
    }
    return settled;
  }

  /** Of several calls only the first has to send. */
  function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  }

  /** What waits now: what comes meanwhile waits for others again. */
  async function sendAll(): Promise<void> {
    const last = newest();
    while (last !== undefined && waiting.has(last)) {
      const again = await attempt(first(waiting, batchSize, REQUEST), {});
      if (again !== undefined) return later(again);
    }
    if (waiting.size > 0) later(waiting.size < batchSize ? interval : 0);
  }

  function newest(): Waiting | undefined {
    return [...waiting].at(-1);
  }

  /** Milliseconds after which the batch should be sent again; undefined: it is stored or refused, event by event. */
  async function attempt(batch: readonly Waiting[], how: { keepalive?: boolean }): Promise<number | undefined> {
    try {
      const events = batch.map(({ event }) => event);
      const answer = await store(source, events, { ...how, signal: gone.signal });
      const rejections = new Map(answer.rejections.map((rejection) => [batch[rejection.index], rejection]));
      failures = 0;
      for (const one of settle(batch)) {
        const rejection = rejections.get(one);
        if (rejection === undefined) counted.stored += 1;
        else lose(one.event, { code: rejection.code, message: `${rejection.field ?? "event"} ${rejection.message}` });
      }
    } catch (error) {
      const refused = error instanceof ApiError ? error : new ApiError(0, "unreachable", String(error));
      if (mayPass(refused)) {
        failures += 1;
        lastError = refused;
        notBefore = performance.now() + (refused.retryAfter ?? 0);
        return backoff(failures, refused.retryAfter);
      }
      failures = 0;
      for (const { event } of settle(batch)) lose(event, refused);
    }
    return undefined;
  }

  function later(milliseconds: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void send(), milliseconds);
    // A process that has nothing else to do need not wait: what waits is sent before its end.
    (timer as { unref?: () => void }).unref?.();
  }

  /** Before the end of a page: what fits goes out at once, along with what is on its way and may be cut off. */
  async function sendLast(): Promise<void> {
    const batch = first(waiting, batchSize, LAST_REQUEST);
    const again = batch.length === 0 ? undefined : await attempt(batch, { keepalive: true });
    if (again !== undefined) later(again);
  }

  async function flush(patience = PATIENCE): Promise<void> {
    const out = new AbortController();
    const end = setTimeout(() => out.abort(), patience);
    const over = new Promise((resolve) => out.signal.addEventListener("abort", resolve));
    const last = newest();
    for (let tries = 0; last !== undefined && waiting.has(last) && !out.signal.aborted; tries += 1) {
      const asked = Math.max(0, notBefore - performance.now());
      const wait = tries > 0 && failures > 0 ? backoff(tries, asked) : asked;
      if (wait > 0) await pause(wait, out.signal);
      if (!out.signal.aborted) await Promise.race([send(), over]);
    }
    clearTimeout(end);
  }

  async function finish(patience?: number): Promise<void> {
    await flush(patience);
    clearTimeout(timer);
    timer = undefined;
    const why = { code: "closed", message: `There was no time left to send it${sofar()}` };
    for (const { event } of settle([...waiting])) lose(event, why);
  }

  function sofar(): string {
    return failures === 0 || lastError === undefined ? "" : `; the last attempt: ${lastError.message}`;
  }

  return {
    track(event) {
      const made = withIdentity(event);
      if (made === undefined) return lose(event, { code: "invalid_type", message: "It cannot be written as JSON" });
      if (closed) return lose(event, { code: "closed", message: "The client is closed" });
      if (waiting.size >= limit)
        return lose(event, { code: "queue_full", message: `${limit} events wait to be sent already${sofar()}` });
      waiting.add(made);
      unhook ??= sendBeforeTheEnd({ finish, sendLast });
      // What is on its way, or is to be sent again, comes first.
      if (sending !== undefined || failures > 0) return;
      if (waiting.size >= batchSize) void send();
      else if (timer === undefined) later(interval);
    },
    flush,
    async close(patience) {
      closed = true;
      await finish(patience);
      gone.abort();
    },
    get tracked() {
      return { waiting: waiting.size, ...counted };
    },
  };
}

/** What may succeed another time: a token may be renewed, everything else is the server's or the network's. */
function mayPass({ status }: ApiError): boolean {
  return status === 0 || status >= 500 || [401, 408, 425, 429].includes(status);
}

function first(waiting: Iterable<Waiting>, count: number, room: number): readonly Waiting[] {
  const batch: Waiting[] = [];
  let size = 0;
  for (const one of waiting) {
    size += one.size;
    if (batch.length === count || (size > room && batch.length > 0)) break;
    batch.push(one);
  }
  return batch;
}

/** With an id and a time of its own, by which the server knows it again however often it is sent. */
function withIdentity(event: TrackedEvent): Waiting | undefined {
  try {
    const timestamp = new Date().toISOString();
    const text = JSON.stringify({ event_id: randomId(), timestamp, ...event });
    return { event: JSON.parse(text) as NewEvent, size: text.length };
  } catch {
    return undefined;
  }
}

/** crypto.randomUUID is not there on pages without TLS. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
