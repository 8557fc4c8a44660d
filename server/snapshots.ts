import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import { setTimeout as pause } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { brokenSteps } from "../core/engine/broken-steps.ts";
import { compile, type Snapshot } from "../core/engine/snapshot.ts";
import type { Clock, ConfigurationStore } from "../core/ports.ts";
import type { Strategy } from "../core/strategy.ts";
import type { Metrics, Snapshots } from "./services.ts";
import { systemTiming } from "./system-timing.ts";

export interface SnapshotsOptions {
  readonly configuration: ConfigurationStore;
  /** Asked for the revisions, on connections that no other query keeps busy. Default: the configuration. */
  readonly probe?: Pick<ConfigurationStore, "environments">;
  /** Called whenever the probe had no answer, not even a refusal. Default: nothing. */
  readonly onSilence?: () => void;
  /** Read when snapshots are compiled: `recompile` says that they have changed. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly clock: Clock;
  /** Told the revision of every environment, and whether they are stale. Default: nobody. */
  readonly metrics?: Pick<Metrics, "gauge">;
  /**
   * Milliseconds between two comparisons of the revisions: the net under missed notifications, and how a database that
   * has fallen silent is noticed. Default 1,000.
   */
  readonly pollMs?: number;
}

/** Milliseconds between two attempts while the database cannot be reached. */
const RETRY_MS = 1_000;
/** A database that has not told the revisions for so long counts as gone; one that is gone may take longer to connect to. */
const SILENCE_MS = 3_000;
const RETURN_MS = 6_000;
/** A load that takes longer is given up and begun anew. */
const LOAD_MS = 60_000;

const log = getLogger(["adaptive", "snapshots"]);

/**
 * Holds the compiled configuration of every environment and follows its changes. Without the database the last snapshots
 * stay; at the very start it goes on trying (`ready` is false until then). Never rejects.
 */
export async function openSnapshots({
  configuration,
  probe = configuration,
  onSilence = () => {},
  strategies,
  clock,
  metrics,
  pollMs = 1_000,
}: SnapshotsOptions): Promise<Snapshots> {
  const snapshots = new Map<string, Snapshot>();
  const loads = new Map<string, () => Promise<void>>();
  const listeners = new Set<(environment: string) => void>();
  const waiting = new Set<(error: Error) => void>();
  // A copy, because plugins may be read again: then all there is was compiled with others.
  let compiledWith: ReadonlyMap<string, Strategy> = new Map(strategies);
  let edition = 0;
  let staleSince: number | undefined;
  let ready = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  metrics?.gauge("snapshot_stale", () => (staleSince === undefined ? 0 : 1));

  async function load(environment: string): Promise<void> {
    const read = await within(LOAD_MS, configuration.load(environment));
    const previous = snapshots.get(environment);
    if (previous !== undefined && isCurrent(previous) && previous.revision >= read.revision) return;
    try {
      snapshots.set(environment, compile(read, compiledWith, { previous, timing: systemTiming }));
      metrics?.gauge("snapshot_revision", () => snapshots.get(environment)?.revision ?? 0, { environment });
    } catch (error) {
      // Checked on write, so this is a fault of ours or of a plugin: what was sound goes on being served.
      log.error("Compiling revision {revision} of {environment} failed: {error}", { ...read, error });
      return;
    }
    for (const listener of listeners) listener(environment);
  }

  function isCurrent(snapshot: Snapshot): boolean {
    return snapshot.strategies === compiledWith;
  }

  /** At most one load of an environment at a time, and one waiting: a burst of changes costs two. */
  function reload(environment: string): Promise<void> {
    const known = loads.get(environment) ?? oneAtATime(() => load(environment));
    loads.set(environment, known);
    return known();
  }

  async function ask() {
    try {
      return await within(staleSince === undefined ? SILENCE_MS : RETURN_MS, probe.environments());
    } catch (error) {
      if (error instanceof Silence) onSilence();
      throw error;
    }
  }

  /** It may take long, as long as the database answers meanwhile. */
  async function whileAnswering(work: Promise<unknown>): Promise<void> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    const watch = async () => {
      while (!over) {
        await pause(pollMs, undefined, { ref: false });
        if (!over) await ask();
      }
      await done;
    };
    await Promise.race([done, watch()]);
  }

  async function compareRevisions(): Promise<void> {
    const stored = await ask();
    const moved = stored.filter(({ key, revision }) => {
      const present = snapshots.get(key);
      return present === undefined || present.revision !== revision || !isCurrent(present);
    });
    if (moved.length > 0) await whileAnswering(Promise.all(moved.map(({ key }) => reload(key))));
    ready = stored.every(({ key }) => snapshots.has(key));
  }

  const poll = oneAtATime(async () => {
    clearTimeout(timer);
    try {
      await compareRevisions();
      found();
    } catch (error) {
      lost(error);
    }
    if (!closed) timer = setTimeout(() => void poll(), staleSince === undefined ? pollMs : RETRY_MS);
  });

  function lost(error: unknown): void {
    if (staleSince !== undefined || closed) return;
    staleSince = clock.now();
    log.warning("The database cannot be reached; decisions are made from the last snapshots: {error}", { error });
    for (const reject of waiting) reject(Object.assign(new Error("The database was lost"), { code: "DATABASE_LOST" }));
    waiting.clear();
  }

  function found(): void {
    if (staleSince === undefined) return;
    log.info("The database is back after {seconds} s", { seconds: (clock.now() - staleSince) / 1000 });
    staleSince = undefined;
  }

  /** Whatever fails, the poll finds out what it means. */
  async function follow(environment: string | null): Promise<void> {
    if (closed) return;
    if (environment !== null) await reload(environment).catch(poll);
    else await poll();
  }

  const listener = await configuration.listen((environment) => void follow(environment));
  await poll();

  return {
    get: (environment) => snapshots.get(environment),
    get stale() {
      return staleSince !== undefined;
    },
    unlessLost: (work) =>
      new Promise((resolve, reject) => {
        waiting.add(reject);
        void work.then(resolve, reject).finally(() => waiting.delete(reject));
      }),
    get ready() {
      return ready;
    },
    get broken() {
      return [...snapshots.values()].flatMap(brokenSteps);
    },
    refresh: follow,
    get edition() {
      return edition;
    },
    async recompile() {
      compiledWith = new Map(strategies);
      edition += 1;
      await poll();
    },
    onReplaced(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await listener.close();
    },
  };
}

/** Neither an answer nor a refusal. */
class Silence extends Error {
  override name = "Silence";
}

/** In so many parts a wait is measured. */
const PARTS = 10;

/**
 * Never waits for ever: an answer that comes later is dropped. Measured in turns of our own event loop: while this process
 * is busy or suspended itself, nobody is silent.
 */
async function within<Answer>(milliseconds: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    let left = PARTS;
    timer = setInterval(() => {
      left -= 1;
      if (left === 0) reject(new Silence(`no answer for ${milliseconds / 1000} s`));
    }, milliseconds / PARTS);
  });
  return Promise.race([answer, silence]).finally(() => clearInterval(timer));
}

/** A call while one runs waits for that one, then runs once for all that came meanwhile: each sees what was before it. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = () => {
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (next !== undefined) return next;
    if (running === undefined) return start();
    next = running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
