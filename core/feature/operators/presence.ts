import type { Json } from "../../json.ts";
import { describe, type Operator } from "./operator.ts";

/** Null counts as missing. */
export const presence = {
  exists: {
    summary: "The user has this attribute, and it is not null",
    value: null,
    compile(value) {
      refuse(value);
      return () => true;
    },
  },
  not_exists: {
    summary: "The user does not have this attribute, or it is null",
    value: null,
    missing: true,
    compile(value) {
      refuse(value);
      return () => false;
    },
  },
} as const satisfies Record<string, Operator>;

function refuse(value: Json | undefined): void {
  if (value !== undefined) throw new TypeError(`must be left out, found ${describe(value)}`);
}
