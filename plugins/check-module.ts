import { z } from "zod";
import { ALGORITHM_NAME, type BucketingAlgorithm, MURMUR } from "../core/bucketing/algorithm.ts";
import type { Operator } from "../core/feature/operators/operator.ts";
import { PLUGGED_NAME } from "../core/feature/operators.ts";
import type { Strategy } from "../core/strategy.ts";

/** What a plugin's module exports: at least one of these. */
export interface PluginModule {
  readonly strategy?: Strategy;
  /** By name. */
  readonly operators?: Readonly<Record<string, Operator>>;
  readonly bucketing?: Readonly<Record<string, BucketingAlgorithm>>;
}

/** Throws an Error that lists everything wrong with what the module exports, as far as it can be told by looking. */
export function checkModule(name: string, module: unknown): PluginModule {
  const { strategy, operators, bucketing } = module as Record<string, unknown>;
  if (strategy === undefined && operators === undefined && bucketing === undefined)
    throw new Error(
      `Cannot use plugin "${name}": a plugin exports its strategy under the name \`strategy\`, or \`operators\` or \`bucketing\` by name`,
    );
  const exported = Object.fromEntries(
    Object.entries({ strategy, operators, bucketing }).filter(([, value]) => value !== undefined),
  );
  const checked = Module.safeParse(exported);
  if (checked.success) return exported;
  const lines = checked.error.issues.map((issue) => `${issue.path.map(String).join(".")} ${reasonOf(issue)}`);
  throw new Error(`Cannot use plugin "${name}": ${lines.join("; ")}`);
}

function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

const ShapeOfStrategy = z.object({
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

const Module = z.object({
  strategy: ShapeOfStrategy.optional(),
  operators: z
    .record(
      z.string().regex(PLUGGED_NAME, "must be snake_case and end in its version, as in within_radius_v1"),
      z.object({
        summary: z.string().min(1),
        value: z.string().nullable(),
        missing: z.boolean().optional(),
        compile: fn(),
      }),
    )
    .optional(),
  bucketing: z
    .record(
      z
        .string()
        .regex(ALGORITHM_NAME, "must be kebab-case and end in its version, as in fnv1a-v1")
        .refine((name) => name !== MURMUR, "is the server's own"),
      z.object({ summary: z.string().min(1), prepare: fn() }),
    )
    .optional(),
});

function isSchema(value: unknown): boolean {
  return typeof value === "object" && value !== null && "_zod" in value && "safeParse" in value;
}

function fn() {
  return z.custom((value) => typeof value === "function", "must be a function");
}
