import { compare, parse, type SemVer } from "semver";
import type { Json } from "../../json.ts";
import { describe, type Operator, type Present } from "./operator.ts";

/** Semantic versions; a leading `v` and missing minor or patch numbers are allowed ("1.2" is 1.2.0). */
export const version = {
  semver_eq: {
    summary: "Is this version (build metadata is ignored)",
    value: "a semantic version",
    takes: "text",
    compile: (value) => against(value, (order) => order === 0),
  },
  semver_gt: {
    summary: "Is a later version than this",
    value: "a semantic version",
    takes: "text",
    compile: (value) => against(value, (order) => order > 0),
  },
  semver_gte: {
    summary: "Is this version or a later one",
    value: "a semantic version",
    takes: "text",
    compile: (value) => against(value, (order) => order >= 0),
  },
  semver_lt: {
    summary: "Is an earlier version than this",
    value: "a semantic version",
    takes: "text",
    compile: (value) => against(value, (order) => order < 0),
  },
  semver_lte: {
    summary: "Is this version or an earlier one",
    value: "a semantic version",
    takes: "text",
    compile: (value) => against(value, (order) => order <= 0),
  },
} as const satisfies Record<string, Operator>;

function against(value: Json | undefined, test: (order: number) => boolean) {
  const bound = typeof value === "string" ? parseVersion(value) : undefined;
  if (bound === undefined) throw new TypeError(`must be a semantic version such as "1.4.0", found ${describe(value)}`);
  return (attribute: Present) => {
    if (typeof attribute !== "string") return false;
    const order = comparePlain(attribute, bound) ?? compareAny(attribute, bound);
    return order !== undefined && test(order);
  };
}

/**
 * `1.2.3` is what nearly every version is, and parsing it with the package costs ten times all the rest of a rule.
 * undefined: not of that form.
 */
function comparePlain(text: string, bound: SemVer): number | undefined {
  let part = 0;
  let digits = 0;
  let order = 0;
  let number = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      if (digits > 0 && number === 0) return undefined;
      number = number * 10 + (code - ZERO);
      digits += 1;
      if (digits > 9) return undefined;
    } else {
      if (code !== DOT || digits === 0 || part > 2) return undefined;
      if (order === 0) order = number - partOf(bound, part);
      part += 1;
      digits = 0;
      number = 0;
    }
  }
  if (part !== 3) return undefined;
  // A release comes after its own pre-releases.
  return order === 0 && bound.prerelease.length > 0 ? 1 : order;
}

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;

function partOf(version: SemVer, part: number): number {
  return part === 0 ? version.major : part === 1 ? version.minor : version.patch;
}

function compareAny(text: string, bound: SemVer): number | undefined {
  const found = parseVersion(text);
  return found === undefined ? undefined : compare(found, bound);
}

const SHORT = /^v?(\d{1,15})(?:\.(\d{1,15}))?$/;

function parseVersion(text: string): SemVer | undefined {
  const short = SHORT.exec(text);
  return parse(short === null ? text : `${short[1]}.${short[2] ?? 0}.0`) ?? undefined;
}
