import { z } from "zod";
import { MURMUR } from "../bucketing/algorithm.ts";
import { BUCKETS, Gate } from "../bucketing/split.ts";
import type { Json } from "../json.ts";
import { checkPointer } from "./attribute.ts";
import { describe } from "./operators/operator.ts";
import { findOperator, operatorNames, PLUGGED_NAME } from "./operators.ts";

/**
 * A question about a user, answered yes or no. `attribute` is a JSON pointer into the user object
 * (`/plan`, `/company/size`, `/user_id`). `feature` asks what another feature serves this user (a prerequisite): one of
 * `variant`, or without it anything but that feature's off variant. `gate` is a percentage of users. `op` is one of the
 * house's operators or of a plugin's.
 */
export type Condition =
  | boolean
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly segment: string }
  | { readonly feature: string; readonly variant?: readonly string[] | undefined }
  | { readonly gate: Gate }
  | { readonly attribute: string; readonly op: string; readonly value?: Json | undefined };

/** How deep conditions may nest, and how many of them one tree may hold. */
export const MAX_DEPTH = 10;
export const MAX_CONDITIONS = 1000;

/**
 * Checks a tree of conditions by hand: a recursive schema would overflow the stack on deep input before it could refuse
 * it, and would answer a wrong operator with eight unions' worth of issues.
 */
export const Condition: z.ZodType<Condition> = z
  .unknown()
  .superRefine((value, context) => {
    const tree = { count: 0, fail: (path: Path, message: string) => fail(context, path, message) };
    if (checkCondition(value, [], 1, tree) && tree.count > MAX_CONDITIONS)
      tree.fail(
        [],
        `A tree holds at most ${MAX_CONDITIONS} conditions, found ${tree.count}: name parts of it as segments`,
      );
  })
  .meta({
    description:
      'A question about the user: true, false, {"all":[…]}, {"any":[…]}, {"not":…}, {"segment":"key"}, ' +
      '{"feature":"key","variant":["on"]}, {"gate":{"percentage":10}} or {"attribute":"/plan","op":"in","value":["pro"]}',
    examples: [{ all: [{ attribute: "/plan", op: "in", value: ["pro", "team"] }, { not: { segment: "staff" } }] }],
  }) as z.ZodType<unknown> as z.ZodType<Condition>;

/** The same tree with every gate's unit and seed written down, so that no later default moves a user. */
export function completeCondition(condition: Condition, seed: string): Condition {
  if (typeof condition === "boolean") return condition;
  if ("all" in condition) return { all: condition.all.map((child) => completeCondition(child, seed)) };
  if ("any" in condition) return { any: condition.any.map((child) => completeCondition(child, seed)) };
  if ("not" in condition) return { not: completeCondition(condition.not, seed) };
  if ("gate" in condition) return { gate: completeGate(condition.gate, seed) };
  return condition;
}

export function completeGate(gate: Gate, seed: string): Gate {
  const parsed = Gate.parse(gate);
  return { ...parsed, bucketing: parsed.bucketing ?? { algorithm: MURMUR, seed, buckets: BUCKETS } };
}

/** Calls back for every condition in the tree, the tree itself first. */
export function visitConditions(condition: Condition, visit: (condition: Condition) => void): void {
  visit(condition);
  if (typeof condition === "boolean") return;
  if ("all" in condition) for (const child of condition.all) visitConditions(child, visit);
  else if ("any" in condition) for (const child of condition.any) visitConditions(child, visit);
  else if ("not" in condition) visitConditions(condition.not, visit);
}

type Path = readonly (string | number)[];
interface Tree {
  count: number;
  fail(path: Path, message: string): false;
}

const KINDS = ["all", "any", "not", "segment", "feature", "gate", "attribute"] as const;
const FIELDS: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  all: ["all"],
  any: ["any"],
  not: ["not"],
  segment: ["segment"],
  feature: ["feature", "variant"],
  gate: ["gate"],
  attribute: ["attribute", "op", "value"],
};

function checkCondition(value: unknown, path: Path, depth: number, tree: Tree): boolean {
  tree.count += 1;
  if (depth > MAX_DEPTH) return tree.fail(path, `Conditions nest at most ${MAX_DEPTH} deep`);
  if (typeof value === "boolean") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return tree.fail(path, `A condition is true, false or an object, found ${describe(value)}`);
  const kind = KINDS.find((name) => Object.hasOwn(value, name));
  if (kind === undefined) return tree.fail(path, `A condition has one of the fields ${KINDS.join(", ")}`);
  const stranger = Object.keys(value).find((name) => !FIELDS[kind].includes(name));
  if (stranger !== undefined)
    return tree.fail([...path, stranger], `A condition with "${kind}" takes only ${FIELDS[kind].join(", ")}`);
  const condition = value as Readonly<Record<string, unknown>>;
  switch (kind) {
    case "all":
    case "any":
      return checkChildren(condition[kind], [...path, kind], depth, tree);
    case "not":
      return checkCondition(condition[kind], [...path, kind], depth + 1, tree);
    case "segment":
      return checkKey(condition[kind], [...path, kind], tree);
    case "feature":
      return checkKey(condition[kind], [...path, kind], tree) && checkVariants(condition.variant, path, tree);
    case "gate":
      return checkGate(condition[kind], [...path, kind], tree);
    case "attribute":
      return checkAttribute(condition, path, tree);
  }
}

function checkChildren(value: unknown, path: Path, depth: number, tree: Tree): boolean {
  if (!Array.isArray(value)) return tree.fail(path, `Takes a list of conditions, found ${describe(value)}`);
  if (tree.count + value.length > MAX_CONDITIONS)
    return tree.fail(path, `A tree holds at most ${MAX_CONDITIONS} conditions: name parts of it as segments`);
  let sound = true;
  for (const [index, child] of value.entries())
    sound = checkCondition(child, [...path, index], depth + 1, tree) && sound;
  return sound;
}

function checkKey(value: unknown, path: Path, tree: Tree): boolean {
  if (typeof value === "string" && value.length > 0 && value.length <= 100) return true;
  return tree.fail(path, `Takes a key of 1 to 100 characters, found ${describe(value)}`);
}

function checkVariants(value: unknown, path: Path, tree: Tree): boolean {
  if (value === undefined) return true;
  const names = Array.isArray(value) && value.length > 0 && value.length <= 100;
  if (names && value.every((name) => typeof name === "string")) return true;
  return tree.fail([...path, "variant"], `Takes a list of variant names, found ${describe(value)}`);
}

function checkGate(value: unknown, path: Path, tree: Tree): boolean {
  const parsed = Gate.safeParse(value);
  for (const issue of parsed.error?.issues ?? [])
    tree.fail([...path, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))], issue.message);
  return parsed.success;
}

function checkAttribute(condition: Readonly<Record<string, unknown>>, path: Path, tree: Tree): boolean {
  const pointer = checkPointer(condition.attribute);
  if (pointer !== undefined) return tree.fail([...path, "attribute"], pointer);
  const { op } = condition;
  const operator = typeof op === "string" ? findOperator(op) : undefined;
  // One that a plugin brought may be gone since: what is stored must still be read. Writes ask checkOperators too.
  if (operator === undefined && typeof op === "string" && PLUGGED_NAME.test(op)) return true;
  if (operator === undefined) return tree.fail([...path, "op"], noOperator(op));
  try {
    operator.compile(condition.value as Json | undefined);
    return true;
  } catch (error) {
    return tree.fail([...path, "value"], `The value of ${op} ${error instanceof Error ? error.message : error}`);
  }
}

export function noOperator(op: unknown): string {
  return `There is no operator ${describe(op)}: use one of ${operatorNames().join(", ")}`;
}

function fail(context: z.core.$RefinementCtx, path: Path, message: string): false {
  context.addIssue({ code: "custom", path: [...path], message, input: undefined });
  return false;
}
