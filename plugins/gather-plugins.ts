import { type BucketingAlgorithm, plugAlgorithms } from "../core/bucketing/algorithm.ts";
import type { Operator, Present } from "../core/feature/operators/operator.ts";
import { plugOperators } from "../core/feature/operators.ts";
import type { Strategy } from "../core/strategy.ts";
import { builtIn } from "./built-in.ts";
import { checkModule } from "./check-module.ts";

/** What a process decides with: the strategies, those of the house first, and what plugins brought besides. By name. */
export interface Plugins {
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly operators: ReadonlyMap<string, Operator>;
  readonly bucketing: ReadonlyMap<string, BucketingAlgorithm>;
}

/** Throws an Error that names the module and what is wrong with it, or what of it is there already. */
export function gatherPlugins(modules: readonly { readonly name: string; readonly module: unknown }[]): Plugins {
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const operators = new Map<string, Operator>();
  const bucketing = new Map<string, BucketingAlgorithm>();
  for (const { name, module } of modules) {
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
