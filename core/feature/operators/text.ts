import { RE2JS } from "re2js";
import type { Json } from "../../json.ts";
import { describe, type Operator, type Present, textValue } from "./operator.ts";

/** Compared as UTF-16 code units; the `ignore_case` forms compare the locale-independent lower case. */
export const text = {
  contains: {
    summary: "Is text with this in it",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => against(value, (attribute, part) => attribute.includes(part)),
  },
  not_contains: {
    summary: "Is text without this in it",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => against(value, (attribute, part) => !attribute.includes(part)),
  },
  starts_with: {
    summary: "Is text that starts with this",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => against(value, (attribute, part) => attribute.startsWith(part)),
  },
  ends_with: {
    summary: "Is text that ends with this",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => against(value, (attribute, part) => attribute.endsWith(part)),
  },
  contains_ignore_case: {
    summary: "Is text with this in it, upper or lower case",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => lowerCased(value, (attribute, part) => attribute.includes(part)),
  },
  not_contains_ignore_case: {
    summary: "Is text without this in it, upper or lower case",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => lowerCased(value, (attribute, part) => !attribute.includes(part)),
  },
  starts_with_ignore_case: {
    summary: "Is text that starts with this, upper or lower case",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => lowerCased(value, (attribute, part) => attribute.startsWith(part)),
  },
  ends_with_ignore_case: {
    summary: "Is text that ends with this, upper or lower case",
    value: "a string, not empty",
    takes: "text",
    compile: (value) => lowerCased(value, (attribute, part) => attribute.endsWith(part)),
  },
  matches: {
    summary: "Is text of at most 2,000 characters in which this pattern is found (RE2 syntax, linear time)",
    value: "an RE2 pattern",
    takes: "text",
    compile(value) {
      const pattern = compilePattern(value);
      return (attribute) => isMatchable(attribute) && pattern.matcher(attribute).find();
    },
  },
  not_matches: {
    summary: "Is text of at most 2,000 characters in which this pattern is not found (RE2 syntax, linear time)",
    value: "an RE2 pattern",
    takes: "text",
    compile(value) {
      const pattern = compilePattern(value);
      return (attribute) => isMatchable(attribute) && !pattern.matcher(attribute).find();
    },
  },
} as const satisfies Record<string, Operator>;

function against(value: Json | undefined, test: (attribute: string, part: string) => boolean) {
  const part = partValue(value);
  return (attribute: Present) => typeof attribute === "string" && test(attribute, part);
}

function lowerCased(value: Json | undefined, test: (attribute: string, part: string) => boolean) {
  const part = partValue(value).toLowerCase();
  return (attribute: Present) => typeof attribute === "string" && test(attribute.toLowerCase(), part);
}

/** An empty part would match every text, which nobody means. */
function partValue(value: Json | undefined): string {
  const part = textValue(value);
  if (part === "") throw new TypeError("must be a string that is not empty");
  return part;
}

/** Linear time is still time, and nothing interrupts it: the worst pattern tried took 0.1 s on 2,000 characters, 5 s on 200,000. */
const MAX_MATCHED = 2000;

function isMatchable(attribute: Present): attribute is string {
  return typeof attribute === "string" && attribute.length <= MAX_MATCHED;
}

function compilePattern(value: Json | undefined): RE2JS {
  const pattern = textValue(value);
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(
      `must be an RE2 pattern (no look-around, no back-references), found ${describe(pattern)}: ${why}`,
    );
  }
}
