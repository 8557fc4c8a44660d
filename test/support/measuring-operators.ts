/** A plugin as PLUGINS= loads it, with an operator that says what it takes. */
import type { Operator } from "../../core/feature/operators/operator.ts";

export const operators: Readonly<Record<string, Operator>> = {
  longer_than_v1: {
    summary: "Is text of more characters than this",
    value: "a whole number",
    takes: "number",
    compile(value) {
      if (typeof value !== "number") throw new TypeError("must be a number");
      return (attribute) => typeof attribute === "string" && attribute.length > value;
    },
  },
};
