import type { Json } from "../json.ts";

/** A user object, as far as conditions look at it. */
export interface Attributes {
  readonly [attribute: string]: Json | undefined;
}

/**
 * Reads one attribute of a user; undefined when it is not there. Own properties only, so `/constructor` is missing. The
 * user inherits from nothing but Object.prototype: that lets most names be read without asking whose they are.
 */
export type ReadAttribute = (user: Attributes) => Json | undefined;

/** Longest pointer, in characters, and how many names it may have. */
const MAX_POINTER = 300;
const MAX_NAMES = 10;

/** Why this is not a JSON pointer (RFC 6901) into a user; undefined when it is one. */
export function checkPointer(pointer: unknown): string | undefined {
  if (typeof pointer !== "string" || pointer === "")
    return 'An attribute is a JSON pointer into the user, such as "/plan"';
  if (!pointer.startsWith("/"))
    return `An attribute is a JSON pointer into the user: write "/${pointer.slice(0, 100)}" for "${pointer.slice(0, 100)}"`;
  if (pointer.length > MAX_POINTER || pointer.split("/").length - 1 > MAX_NAMES)
    return `An attribute has at most ${MAX_POINTER} characters and ${MAX_NAMES} names`;
  if (/~(?![01])/.test(pointer)) return 'In a JSON pointer "~" is written "~0" and "/" inside a name "~1"';
  return undefined;
}

/** Throws a TypeError when it is no pointer. */
export function compileAttribute(pointer: string): ReadAttribute {
  const wrong = checkPointer(pointer);
  if (wrong !== undefined) throw new TypeError(wrong);
  const names = pointer
    .slice(1)
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const [first, ...rest] = names;
  if (first === undefined) throw new TypeError(`"${pointer}" names no attribute`);
  const inherited = first in Object.prototype;
  if (rest.length === 0 && !inherited) return (user) => user[first];
  return (user) => {
    let found = Object.hasOwn(user, first) ? user[first] : undefined;
    for (const name of rest) found = child(found, name);
    return found;
  };
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

function child(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return INDEX.test(name) ? (value as readonly Json[])[Number(name)] : undefined;
  return Object.hasOwn(value, name) ? (value as { readonly [key: string]: Json })[name] : undefined;
}
