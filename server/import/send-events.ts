import { setTimeout as sleep } from "node:timers/promises";
import type { EventInput } from "../../core/event/event.ts";

export interface SendOptions {
  /** Of the server, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly source: string;
  /** Default: the token's, else `production`. */
  readonly environment?: string | undefined;
  readonly token?: string | undefined;
  /** Milliseconds to keep trying while the server does not answer or is overloaded. */
  readonly retryFor: number;
  /** Told before each pause. */
  readonly onRetry?: ((why: string) => void) | undefined;
}

/** What POST /ingest/events answers. */
export interface Ingested {
  readonly saved_events: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly rejections: readonly { index: number; code: string; message: string; field?: string }[];
}

const REQUEST_TIMEOUT = 60_000;
const LONGEST_PAUSE = 5_000;

/**
 * Sends events, which must have ids: when no answer comes they are sent again, and what was stored is not stored twice.
 *
 * @throws Error when the server refuses, or does not answer for `retryFor`
 */
export async function sendEvents(events: readonly EventInput[], options: SendOptions): Promise<Ingested> {
  const { url, source, retryFor, onRetry } = options;
  const body = JSON.stringify({ source, events });
  const end = performance.now() + retryFor;
  for (let pause = 100; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    const outcome = await post(new URL("/ingest/events", url), body, options);
    if ("answer" in outcome) return outcome.answer;
    if (!outcome.again || performance.now() + pause > end) throw new Error(outcome.why);
    onRetry?.(outcome.why);
    await sleep(pause);
  }
}

type Outcome = { readonly answer: Ingested } | { readonly why: string; readonly again: boolean };

async function post(url: URL, body: string, { environment, token }: SendOptions): Promise<Outcome> {
  const headers = {
    "Content-Type": "application/json",
    ...(environment === undefined ? {} : { "X-Environment": environment }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(REQUEST_TIMEOUT) });
    const text = await response.text();
    if (response.status === 201) return { answer: JSON.parse(text) as Ingested };
    const again = response.status >= 500 || response.status === 429 || response.status === 408;
    return { why: `${url.origin} answers ${response.status}: ${text.slice(0, 500)}`, again };
  } catch (error) {
    return { why: `${url.origin} does not answer: ${reason(error)}`, again: true };
  }
}

/** fetch says only "fetch failed"; why is in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ("code" in cause ? String(cause.code) : cause.name);
}
