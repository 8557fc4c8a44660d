import type { Strategy } from "../../core/strategy.ts";

/** The strategy as it is, its config's type told by its schema. Throws a TypeError when its name could not be loaded. */
export function defineStrategy<Config>(strategy: Strategy<Config>): Strategy<Config> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(strategy.id))
    throw new TypeError(`Cannot define the strategy "${strategy.id}": its id must be kebab-case, as in "my-strategy"`);
  return strategy;
}
