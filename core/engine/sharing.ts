import type { Json } from "../json.ts";
import type { Sides } from "./quick-split.ts";

/**
 * Makes equal parts of what is compiled together one object in memory: thousands of rollouts differ in a key and a number.
 * What is shared must never be written to.
 */
export interface Sharing {
  /** A copy with the value's own fields, but for parts and texts that were seen before. */
  json<Value extends object>(value: Value): Value;
  sides(sides: Sides): Sides;
}

/** Longer texts and parts are rarely equal. */
const LONGEST = 500;

export function createSharing(): Sharing {
  const texts = new Map<string, string>();
  const parts = new Map<string, Json>();
  const known = new Map<string, Sides>();

  function share(value: Json): Json {
    if (typeof value === "string") return value.length > LONGEST ? value : once(texts, value, value);
    if (typeof value !== "object" || value === null) return value;
    const written = JSON.stringify(value);
    if (written.length > LONGEST) return copy(value);
    const found = parts.get(written);
    return found === undefined ? once(parts, written, copy(value)) : found;
  }

  function copy(value: Json & object): Json & object {
    if (Array.isArray(value)) return value.map(share);
    const own: Record<string, Json> = { ...(value as { readonly [name: string]: Json }) };
    for (const name in own) own[name] = share(own[name] as Json);
    return own;
  }

  return {
    json: (value) => copy(value as Json & object) as typeof value,
    sides(sides) {
      const { below, above, belowProbability, aboveProbability, step, source, reason } = sides;
      const name = JSON.stringify([below, above, belowProbability, aboveProbability, step, source, reason]);
      return once(known, name, sides);
    },
  };
}

function once<Value>(seen: Map<string, Value>, name: string, value: Value): Value {
  const found = seen.get(name);
  if (found !== undefined) return found;
  seen.set(name, value);
  return value;
}
