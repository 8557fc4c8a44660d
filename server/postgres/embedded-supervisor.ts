import { setTimeout as pause } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import type { Server } from "./embedded-server.ts";

export interface SupervisorOptions {
  /** Starts the server again on this port; rejects when it does not start there. undefined: it is another process's now. */
  readonly restart: (port: number) => Promise<Server | undefined>;
  /** Milliseconds before each attempt, of which there are as many. */
  readonly pauses?: readonly number[];
}

const PAUSES = [100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000];
/** One that has lived so long has all its attempts again. Milliseconds. */
const SOUND_MS = 60_000;

const log = getLogger(["adaptive", "database"]);

/**
 * Keeps a server running: one that ends without being stopped, as when the system kills it for its memory, is started
 * again on the same port and data. A server that does not stay up is given up in the end, and the log says so: what
 * serves from memory goes on.
 */
export function superviseServer(first: Server, { restart, pauses = PAUSES }: SupervisorOptions): Pick<Server, "stop"> {
  const stopping = new AbortController();
  let server: Server | undefined = first;
  let failures = 0;

  const follow = async () => {
    while (server !== undefined) {
      const began = performance.now();
      const code = await server.ended;
      if (stopping.signal.aborted) return;
      if (performance.now() - began > SOUND_MS) failures = 0;
      log.error("The embedded PostgreSQL ended by itself ({code}): it is started again", { code });
      server = undefined;
      await revive();
    }
  };

  /** Leaves `server` undefined when it was stopped meanwhile, or is given up. */
  const revive = async (): Promise<void> => {
    for (const wait of pauses.slice(failures)) {
      failures += 1;
      await pause(wait, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        const started = await restart(first.port);
        if (started === undefined) return;
        if (stopping.signal.aborted) return await started.stop();
        server = started;
        log.info("The embedded PostgreSQL runs again after {failures} attempts", { failures });
        return;
      } catch (error) {
        log.error("Starting the embedded PostgreSQL again failed: {error}", { error });
      }
    }
    log.error("The embedded PostgreSQL does not stay up and is given up: see its log, then restart this process");
  };

  const following = follow();
  return {
    async stop() {
      stopping.abort();
      await server?.stop();
      // One that is being started is waited for, and stopped.
      await following;
    },
  };
}
