import type { Json } from "../../json.ts";
import { listValue, type Operator, scalarValue } from "./operator.ts";

/** For attributes that are lists: `/groups`, `/permissions`. Entries are compared as `equals` does. */
export const set = {
  has_any: {
    summary: "Is a list that holds at least one of these",
    value: "a list of strings, numbers or booleans",
    compile(value) {
      const wanted = entries(value);
      return (attribute) => Array.isArray(attribute) && attribute.some((entry) => wanted.has(entry));
    },
  },
  has_all: {
    summary: "Is a list that holds all of these",
    value: "a list of strings, numbers or booleans",
    compile(value) {
      const wanted = entries(value);
      return (attribute) => Array.isArray(attribute) && holdsAll(new Set(attribute), wanted);
    },
  },
  has_none: {
    summary: "Is a list that holds none of these",
    value: "a list of strings, numbers or booleans",
    compile(value) {
      const unwanted = entries(value);
      return (attribute) => Array.isArray(attribute) && !attribute.some((entry) => unwanted.has(entry));
    },
  },
} as const satisfies Record<string, Operator>;

function entries(value: Json | undefined): ReadonlySet<Json> {
  return new Set<Json>(listValue(value).map(scalarValue));
}

function holdsAll(found: ReadonlySet<Json>, wanted: ReadonlySet<Json>): boolean {
  for (const entry of wanted) if (!found.has(entry)) return false;
  return true;
}
