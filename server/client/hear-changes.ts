import type { Caller } from "./caller.ts";
import { readServerEvents } from "./read-server-events.ts";

/** The server says something every 25 seconds; a stream that is silent for so many milliseconds is dead. */
const SILENCE = 60_000;

export interface Hearing {
  /** The newest revision the caller knows of; undefined: none. */
  readonly since: number | undefined;
  readonly signal: AbortSignal;
  /** Called when the server has taken the stream. */
  readonly onOpen?: (() => void) | undefined;
}

/** One stream of GET /changes, until it ends. Rejects when it is refused, breaks or falls silent. */
export async function* hearChanges(
  caller: Caller,
  { since, signal, onOpen }: Hearing,
): ReturnType<typeof readServerEvents> {
  const dead = new AbortController();
  let watch: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => dead.abort(), SILENCE);
  };
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (since !== undefined) headers["Last-Event-ID"] = String(since);
  try {
    const response = await caller.open("/changes", headers, AbortSignal.any([signal, dead.signal]));
    onOpen?.();
    alive();
    yield* readServerEvents(response, alive);
  } finally {
    clearTimeout(watch);
  }
}
