import { ApiError } from "./api-error.ts";
import { backoff } from "./backoff.ts";
import type { Caller } from "./caller.ts";
import type { Change, Evaluator } from "./evaluator.ts";
import { hearChanges } from "./hear-changes.ts";
import { pause } from "./pause.ts";

/**
 * Hears of changes by the server's GET /changes: one stream while somebody listens, opened again when it breaks, from where
 * it broke. Where that does not succeed at once, listeners are told `stale`, and `fresh` afterwards.
 */
export function createChanges(caller: Caller): Pick<Evaluator, "ready" | "environment" | "onChange" | "close"> {
  const listeners = new Set<(change: Change) => void>();
  let known: { readonly environment: string; readonly revision: number } | undefined;
  let following: AbortController | undefined;
  let closed = false;

  function tell(change: Change): void {
    for (const listener of [...listeners]) listener(change);
  }

  function hear(data: string): void {
    const heard = revisionIn(data);
    if (heard === undefined) return;
    const before = known;
    known = heard;
    if (before !== undefined && heard.revision !== before.revision) tell({ type: "changed", ...heard });
  }

  /** Until the stream ends or breaks. */
  async function listen(signal: AbortSignal, on: { open?: () => void; heard?: () => void }): Promise<void> {
    for await (const { data } of hearChanges(caller, { since: known?.revision, signal, onOpen: on.open })) {
      hear(data);
      on.heard?.();
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let opened = false;
    let stale = false;
    const open = () => {
      failures = 0;
      opened = true;
      if (stale) tell({ type: "fresh" });
      stale = false;
    };
    while (!signal.aborted) {
      let wait = 0;
      try {
        await listen(signal, { open });
      } catch (error) {
        if (signal.aborted) return;
        // A stream that broke is opened again at once, and only when that fails it is told.
        if ((failures > 0 || !opened) && !stale) {
          stale = true;
          tell({ type: "stale", message: error instanceof Error ? error.message : String(error) });
        }
        wait = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
      }
      failures += 1;
      await pause(backoff(failures, wait), signal);
    }
  }

  return {
    get environment() {
      return known?.environment;
    },

    async ready() {
      if (known !== undefined) return;
      const once = new AbortController();
      await listen(once.signal, { heard: () => once.abort() }).catch((error: unknown) => {
        if (known === undefined) throw error;
      });
    },

    onChange(listener) {
      // Wrapped, so that the same function may listen twice.
      const own = (change: Change) => listener(change);
      listeners.add(own);
      if (following === undefined && !closed) {
        following = new AbortController();
        void follow(following.signal);
      }
      return () => {
        listeners.delete(own);
        if (listeners.size > 0) return;
        following?.abort();
        following = undefined;
      };
    },

    async close() {
      closed = true;
      listeners.clear();
      following?.abort();
    },
  };
}

function revisionIn(data: string): { environment: string; revision: number } | undefined {
  try {
    const { etag } = JSON.parse(data) as { etag?: unknown };
    const [, environment, revision] = /^"(.+)\.(\d+)"$/.exec(String(etag)) ?? [];
    return environment === undefined ? undefined : { environment, revision: Number(revision) };
  } catch {
    return undefined;
  }
}
