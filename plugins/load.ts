import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import type { Strategy } from "../core/strategy.ts";
import { strategy as bandit } from "./bandit/bandit.ts";
import { strategy as hashBucketing } from "./hash-bucketing/hash-bucketing.ts";
import { strategy as mlModel } from "./ml-model/ml-model.ts";
import { strategy as ruleFilters } from "./rule-filters/rule-filters.ts";

/** The strategies every server has. */
export const builtIn: readonly Strategy[] = [ruleFilters, hashBucketing, mlModel, bandit];

/**
 * Loads third-party strategies: a path (`./mine.ts`, `../mine.ts`, `/opt/mine.ts`) from `cwd`, anything else as the name of
 * an installed package. Throws an Error that names the specifier, what was found there and what would work.
 */
export async function loadPlugins(specifiers: readonly string[], cwd: string): Promise<Strategy[]> {
  const taken = new Set(builtIn.map(({ id }) => id));
  const loaded: Strategy[] = [];
  for (const specifier of specifiers) {
    const strategy = checkShape(specifier, await load(specifier, cwd));
    if (taken.has(strategy.id))
      throw new Error(`Cannot load plugin "${specifier}": its id "${strategy.id}" is taken by another strategy`);
    taken.add(strategy.id);
    loaded.push(strategy);
  }
  return loaded;
}

async function load(specifier: string, cwd: string): Promise<unknown> {
  const path = specifier.startsWith("./") || specifier.startsWith("../") || isAbsolute(specifier);
  const found = path ? pathToFileURL(resolve(cwd, specifier)).href : specifier;
  try {
    const module: { strategy?: unknown } = await import(found);
    return module.strategy;
  } catch (error) {
    throw new Error(
      `Cannot load plugin "${specifier}" ${path ? `from ${cwd}` : "as a package (a path starts with ./)"}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** The message; of a syntax error also the place, which Node puts before the stack only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error instanceof SyntaxError && error.stack?.split(/\n\s+at /)[0]) || error.message;
}

/** The parts of the contract that can be told by looking. The rest is what plugins/kit is for. */
const Shape = z.object({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be kebab-case"),
  contract: z.literal(1, "must be 1, the only contract this server knows"),
  summary: z.string().min(1),
  source: z.string().min(1).max(100).optional(),
  config: z.custom(isSchema, "must be a zod 4 schema"),
  bounded: z.boolean().optional(),
  profile: z.boolean().optional(),
  learns: z.boolean().optional(),
  complete: fn().optional(),
  variants: fn().optional(),
  conditions: fn().optional(),
  reads: fn().optional(),
  prepare: fn(),
  dispose: fn().optional(),
});

function isSchema(value: unknown): boolean {
  return typeof value === "object" && value !== null && "_zod" in value && "safeParse" in value;
}

function fn() {
  return z.custom((value) => typeof value === "function", "must be a function");
}

function checkShape(specifier: string, strategy: unknown): Strategy {
  if (strategy === undefined)
    throw new Error(`Cannot use plugin "${specifier}": a plugin exports its strategy under the name \`strategy\``);
  const checked = Shape.safeParse(strategy);
  if (checked.success) return strategy as Strategy;
  const lines = checked.error.issues.map((issue) => `strategy.${issue.path.join(".")} ${issue.message}`);
  throw new Error(`Cannot use plugin "${specifier}": ${lines.join("; ")}`);
}
