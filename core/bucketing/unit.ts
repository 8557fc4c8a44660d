import type { Json } from "../json.ts";

/** The part of a user that units are read from. */
interface Attributes {
  readonly [attribute: string]: Json | undefined;
}

/**
 * The first of these attributes the user has, as text: strings as they are, numbers and booleans written out. Empty
 * strings, null, lists, objects and what is inherited are passed over. undefined: the user has none of them.
 */
export function readUnit(user: Attributes, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = user[name];
    if (typeof value === "string") {
      if (value !== "") return value;
    } else if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
      return String(value);
  }
  return undefined;
}
