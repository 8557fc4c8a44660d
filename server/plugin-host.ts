import { setTimeout } from "node:timers";
import { getLogger } from "@logtape/logtape";
import type { Strategy } from "../core/strategy.ts";
import { type Plugins, plugIn } from "../plugins/gather-plugins.ts";
import { loadPlugins } from "../plugins/load.ts";

/** The plugins of a process. One host a process: operators and bucketing algorithms are the process's own. */
export interface PluginHost {
  /** By id. Its entries change when plugins are read again; the map stays, for all who were given it. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  /**
   * Reads every plugin anew and calls `changed`, which compiles what is served. All or nothing: when one cannot be loaded
   * the present ones stay, and the log says why. Never rejects; a call while one runs waits for it, then reads again.
   */
  reload(changed: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A module that takes longer to load, say because it awaits what never comes, is given up. */
const LOAD_MS = 30_000;
/** What was replaced may still be answering: longer than any step's budget (5 s). */
const RETIRE_MS = 10_000;

const log = getLogger(["adaptive", "plugins"]);

/** Throws what `loadPlugins` throws. */
export async function openPlugins(specifiers: readonly string[], cwd: string): Promise<PluginHost> {
  const strategies = new Map<string, Strategy>();
  const retired = new Map<Strategy, NodeJS.Timeout>();
  let edition = 0;
  use(await loadPlugins(specifiers, cwd));

  /** At once: no request sees half of it. */
  function use(plugins: Plugins): void {
    strategies.clear();
    for (const [id, strategy] of plugins.strategies) strategies.set(id, strategy);
    plugIn(plugins);
  }

  async function reload(changed: () => Promise<void>): Promise<void> {
    edition += 1;
    try {
      const before = [...strategies.values()];
      use(await soon(loadPlugins(specifiers, cwd, edition)));
      await changed();
      const present = new Set(strategies.values());
      for (const strategy of before) if (!present.has(strategy)) retire(strategy);
      log.info("Read the plugins again: {strategies}", { strategies: [...strategies.keys()].join(", ") });
    } catch (error) {
      log.error("Reading the plugins again failed, the present ones stay: {error}", { error });
    }
  }

  function retire(strategy: Strategy): void {
    if (strategy.dispose === undefined) return;
    const timer = setTimeout(() => {
      retired.delete(strategy);
      void dispose(strategy);
    }, RETIRE_MS);
    retired.set(strategy, timer.unref());
  }

  let last = Promise.resolve();
  return {
    strategies,
    reload(changed) {
      last = last.then(() => reload(changed));
      return last;
    },
    async close() {
      await last;
      for (const timer of retired.values()) clearTimeout(timer);
      for (const strategy of [...retired.keys(), ...strategies.values()]) await dispose(strategy);
    },
  };
}

/** Somebody else's code: what it throws must not keep the others from closing. */
async function dispose(strategy: Strategy): Promise<void> {
  try {
    await strategy.dispose?.();
  } catch (error) {
    log.warning("Closing the strategy {id} failed: {error}", { id: strategy.id, error });
  }
}

async function soon<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`A plugin is not loaded after ${LOAD_MS / 1000} s`)), LOAD_MS);
  return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
}
