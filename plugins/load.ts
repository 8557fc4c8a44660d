import { registerHooks } from "node:module";
import { type BucketingAlgorithm, plugAlgorithms } from "../core/bucketing/algorithm.ts";
import type { Operator, Present } from "../core/feature/operators/operator.ts";
import { plugOperators } from "../core/feature/operators.ts";
import type { Strategy } from "../core/strategy.ts";
import { builtIn } from "./built-in.ts";
import { checkModule } from "./check-module.ts";
import { findModules, isPath } from "./find-modules.ts";

/** What a process decides with: the strategies, those of the house first, and what plugins brought besides. By name. */
export interface Plugins {
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly bucketing: ReadonlyMap<string, BucketingAlgorithm>;
}

/**
 * Loads third-party plugins: a path (`./mine.ts`, `./plugins`, `/opt/mine.ts`) from `cwd`, anything else as the name of an
 * installed package. Throws an Error that names the specifier, what was found there and what would work.
 *
 * @param edition another one reads every module anew, also those it imports by a relative path. Default: what is known
 */
export async function loadPlugins(specifiers: readonly string[], cwd: string, edition = 0): Promise<Plugins> {
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const operators = new Map<string, Operator>();
  const bucketing = new Map<string, BucketingAlgorithm>();
  for (const specifier of specifiers)
    for (const { name, module } of await load(specifier, cwd, edition)) {
      const found = checkModule(name, module);
      if (found.strategy !== undefined) add(strategies, found.strategy.id, found.strategy, name, "its id", "strategy");
      for (const [key, operator] of Object.entries(found.operators ?? {}))
        add(operators, key, contained(operator), name, "its operator", "plugin");
      for (const [key, algorithm] of Object.entries(found.bucketing ?? {}))
        add(bucketing, key, algorithm, name, "its bucketing algorithm", "plugin");
    }
  return { strategies, operators, bucketing };
}

/** Makes these the operators and bucketing algorithms of the process. Strategies are handed on by those who load them. */
export function plugIn({ operators, bucketing }: Omit<Plugins, "strategies">): void {
  plugOperators(operators);
  plugAlgorithms(bucketing);
}

function add<T>(all: Map<string, T>, key: string, one: T, plugin: string, what: string, other: string): void {
  if (all.has(key)) throw new Error(`Cannot load plugin "${plugin}": ${what} "${key}" is taken by another ${other}`);
  all.set(key, one);
}

async function load(specifier: string, cwd: string, edition: number): Promise<{ name: string; module: unknown }[]> {
  const loaded: { name: string; module: unknown }[] = [];
  let at = specifier;
  try {
    for (const { name, url } of await findModules(specifier, cwd)) {
      at = name;
      loaded.push({ name, module: await import(edition === 0 ? url : inEdition(url, edition)) });
    }
    return loaded;
  } catch (error) {
    const where = isPath(specifier) ? `from ${cwd}` : "as a package (a path starts with ./)";
    throw new Error(`Cannot load plugin "${at}" ${where}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The message; of a syntax error also the place, which Node puts before the stack only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error instanceof SyntaxError && error.stack?.split(/\n\s+at /)[0]) || error.message;
}

const EDITION = "edition";

/** A module is kept for ever by its address, so another edition of it is another address. */
function inEdition(url: string, edition: number): string {
  follow();
  return `${url}?${EDITION}=${edition}`;
}

let following = false;

/** What a plugin imports by a relative path is of the plugin's edition, or old and new files would be mixed. */
function follow(): void {
  if (following) return;
  following = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const edition = /[?&]edition=(\d+)$/.exec(context.parentURL ?? "")?.[1];
      return edition === undefined || !specifier.startsWith(".")
        ? found
        : { ...found, url: `${found.url}?${EDITION}=${edition}` };
    },
  });
}

/** A plugin's test of an attribute says yes by `true` and by nothing else. */
function contained(operator: Operator): Operator {
  return {
    ...operator,
    compile(value) {
      const test = operator.compile(value);
      if (typeof test !== "function") throw new TypeError(`is compiled to ${typeof test}, a function is wanted`);
      return (attribute: Present) => test(attribute) === true;
    },
  };
}
