import type { Json } from "../../json.ts";

/** A user's attribute as an operator sees it: present and not null. */
export type Present = Exclude<Json, null>;

/**
 * One way to compare an attribute. Strict and total: an attribute of another type than the operator compares is no
 * match, for negative operators too (see docs/decisions/0002-missing-is-no-match.md).
 */
export interface Operator {
  /** One sentence for the docs and the form. */
  readonly summary: string;
  /** What `value` must be, in words; null when the operator takes none. */
  readonly value: string | null;
  /**
   * Which input the form offers for it: `texts` and `numbers` are lists, `time` is a moment. Default: what is typed, where
   * numbers and true/false are themselves; a list of such when `value` begins with "a list".
   */
  readonly takes?: ValueKind;
  /** The answer for an attribute that is missing or null. Default false. */
  readonly missing?: boolean;
  /** Parses `value` once and returns the test. Throws an Error saying what `value` must be when it is not that. */
  compile(value: Json | undefined): (attribute: Present) => boolean;
}

export type ValueKind = "text" | "texts" | "number" | "numbers" | "time";

/** Longest list an operator takes. */
export const MAX_LIST = 10_000;

/** Longest text inside a value. */
export const MAX_TEXT = 1000;

export function textValue(value: Json | undefined): string {
  if (typeof value === "string" && value.length <= MAX_TEXT) return value;
  throw new TypeError(`must be a string of at most ${MAX_TEXT} characters, found ${describe(value)}`);
}

export function listValue(value: Json | undefined): readonly Json[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_LIST) return value;
  throw new TypeError(`must be a list of 1 to ${MAX_LIST} values, found ${describe(value)}`);
}

export function scalarValue(value: Json | undefined): string | number | boolean {
  if (typeof value === "string") return textValue(value);
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  throw new TypeError(`must be a string, number or boolean, found ${describe(value)}`);
}

/** What was found instead, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return value.length > 40 ? `"${value.slice(0, 40)}…"` : `"${value}"`;
  return String(value);
}
