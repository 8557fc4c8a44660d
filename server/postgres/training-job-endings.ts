import type { Sql } from "./sql.ts";
import { TRAINING_CHANNEL } from "./training-queue.ts";

export interface JobEndings {
  /** Open it before reading the job, so that an end in between is not missed. */
  watch(jobId: string): {
    /** Resolves at the job's end, after `milliseconds` or on abort, whichever is first; at once after a missed end. */
    next(milliseconds: number, signal?: AbortSignal): Promise<void>;
    close(): void;
  };
}

/**
 * One subscription for all who wait. It is opened by the first of them and lives as long as the pool; postgres.js opens
 * it again after a loss.
 */
export function jobEndings(sql: Sql): JobEndings {
  const watched = new Map<string, Set<() => void>>();
  let listening = false;

  const listen = () => {
    if (listening) return;
    listening = true;
    sql
      .listen(TRAINING_CHANNEL, (payload) => {
        const [jobId = "", status] = payload.split(" ");
        if (status === "queued" || status === "running") return;
        for (const wake of watched.get(jobId) ?? []) wake();
      })
      // Waiters look for themselves now and then; postgres.js keeps trying to subscribe.
      .catch(() => {});
  };

  return {
    watch(jobId) {
      listen();
      let ended = false;
      let resolveNext = () => {};
      const wake = () => {
        ended = true;
        resolveNext();
      };
      const wakers = watched.get(jobId) ?? new Set();
      watched.set(jobId, wakers.add(wake));
      return {
        next: (milliseconds, signal) =>
          new Promise((resolve) => {
            const done = () => {
              clearTimeout(timer);
              signal?.removeEventListener("abort", done);
              ended = false;
              resolve();
            };
            const timer = setTimeout(done, milliseconds);
            signal?.addEventListener("abort", done);
            resolveNext = done;
            if (ended || signal?.aborted) done();
          }),
        close: () => {
          wakers.delete(wake);
          if (wakers.size === 0) watched.delete(jobId);
        },
      };
    },
  };
}
