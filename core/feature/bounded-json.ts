import { z } from "zod";
import type { Json } from "../json.ts";
import { describe } from "./operators/operator.ts";

/** How deep a variant's value or a step's config may nest. */
export const MAX_JSON_DEPTH = 32;

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** Any JSON value up to MAX_JSON_DEPTH, checked without a recursive schema: that would overflow the stack first. */
export const BoundedJson: z.ZodType<Json> = z
  .unknown()
  .superRefine((value, context) => {
    const problem = checkJson(value, 0);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem, input: undefined });
  })
  .meta({ description: "Any JSON value" }) as z.ZodType<unknown> as z.ZodType<Json>;

/** Why this is not a plain JSON value; undefined when it is one. */
export function checkJson(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${value} is not a JSON number`;
  if (typeof value !== "object") return `Must be a JSON value, found ${describe(value)}`;
  if (depth >= MAX_JSON_DEPTH) return `JSON nests at most ${MAX_JSON_DEPTH} deep here`;
  for (const [name, entry] of Object.entries(value)) {
    if (FORBIDDEN.has(name)) return `The name "${name}" is not allowed`;
    const problem = checkJson(entry, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Refused as names of variants: they mean something else to JavaScript. */
export function isForbiddenName(name: string): boolean {
  return FORBIDDEN.has(name);
}
