import type { Condition } from "../../wire.ts";

export type ConditionKind = "attribute" | "all" | "any" | "not" | "segment" | "feature" | "gate" | "always" | "never";

export const CONDITION_KINDS: readonly (readonly [ConditionKind, string])[] = [
  ["attribute", "An attribute"],
  ["all", "All of"],
  ["any", "Any of"],
  ["not", "Not"],
  ["segment", "In the segment"],
  ["feature", "A feature serves"],
  ["gate", "A share of users"],
  ["always", "Always"],
  ["never", "Never"],
];

/** What a new condition begins with. */
export const FIRST_CONDITION: Condition = { attribute: "/plan", op: "equals", value: "pro" };

const MADE: Readonly<Record<ConditionKind, (before: Condition) => Condition>> = {
  attribute: () => FIRST_CONDITION,
  all: (before) => ({ all: childrenOf(before) }),
  any: (before) => ({ any: childrenOf(before) }),
  not: (before) => ({ not: childrenOf(before)[0] ?? FIRST_CONDITION }),
  segment: () => ({ segment: "" }),
  feature: () => ({ feature: "" }),
  gate: () => ({ gate: { percentage: 10, unit: ["user_id"] } }),
  always: () => true,
  never: () => false,
};

/** The same condition as another kind; what was in it goes along where it can. */
export function asKind(kind: ConditionKind, before: Condition): Condition {
  return MADE[kind](before);
}

export function kindOf(value: Condition): ConditionKind {
  if (typeof value === "boolean") return value ? "always" : "never";
  return CONDITION_KINDS.find(([name]) => name in value)?.[0] ?? "attribute";
}

function childrenOf(value: Condition): readonly Condition[] {
  if (typeof value === "object") {
    if ("all" in value) return value.all;
    if ("any" in value) return value.any;
    if ("not" in value) return [value.not];
  }
  return [value];
}
