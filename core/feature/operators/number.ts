import type { Json } from "../../json.ts";
import { describe, listValue, type Operator, type Present } from "./operator.ts";

/** Finite numbers only: "10" is text and no match. */
export const number = {
  gt: {
    summary: "Is a number greater than this",
    value: "a number",
    takes: "number",
    compile: (value) => against(value, (attribute, bound) => attribute > bound),
  },
  gte: {
    summary: "Is a number greater than or equal to this",
    value: "a number",
    takes: "number",
    compile: (value) => against(value, (attribute, bound) => attribute >= bound),
  },
  lt: {
    summary: "Is a number less than this",
    value: "a number",
    takes: "number",
    compile: (value) => against(value, (attribute, bound) => attribute < bound),
  },
  lte: {
    summary: "Is a number less than or equal to this",
    value: "a number",
    takes: "number",
    compile: (value) => against(value, (attribute, bound) => attribute <= bound),
  },
  between: {
    summary: "Is a number from the first to the second, both included",
    value: "a list of two numbers, the smaller first",
    takes: "numbers",
    compile(value) {
      const [low, high, ...rest] = listValue(value).map(numberValue);
      if (low === undefined || high === undefined || rest.length > 0 || low > high)
        throw new TypeError(`must be a list of two numbers, the smaller first, found ${describe(value)}`);
      return (attribute) => typeof attribute === "number" && attribute >= low && attribute <= high;
    },
  },
} as const satisfies Record<string, Operator>;

function against(value: Json | undefined, test: (attribute: number, bound: number) => boolean) {
  const bound = numberValue(value);
  return (attribute: Present) => typeof attribute === "number" && Number.isFinite(attribute) && test(attribute, bound);
}

function numberValue(value: Json | undefined): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`must be a number, found ${describe(value)}`);
}
