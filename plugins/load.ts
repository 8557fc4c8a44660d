import type { Strategy } from "../core/strategy.ts";

/** The strategies every server has. */
export const builtIn: readonly Strategy[] = [];

/**
 * Loads third-party strategies: `./path` and `/path` from the working directory `cwd`, anything else as a package name.
 * Throws an Error that names the specifier and what is wrong with what it found there.
 */
export async function loadPlugins(_specifiers: readonly string[], _cwd: string): Promise<Strategy[]> {
  throw new Error("Being written");
}
