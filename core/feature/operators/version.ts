import { compare, parse, type SemVer } from "semver";
import type { Json } from "../../json.ts";
import { describe, type Operator, type Present } from "./operator.ts";

/** Semantic versions; a leading `v` and missing minor or patch numbers are allowed ("1.2" is 1.2.0). */
export const version = {
  semver_eq: {
    summary: "Is this version (build metadata is ignored)",
    value: "a semantic version",
    compile: (value) => against(value, (order) => order === 0),
  },
  semver_gt: {
    summary: "Is a later version than this",
    value: "a semantic version",
    compile: (value) => against(value, (order) => order > 0),
  },
  semver_gte: {
    summary: "Is this version or a later one",
    value: "a semantic version",
    compile: (value) => against(value, (order) => order >= 0),
  },
  semver_lt: {
    summary: "Is an earlier version than this",
    value: "a semantic version",
    compile: (value) => against(value, (order) => order < 0),
  },
  semver_lte: {
    summary: "Is this version or an earlier one",
    value: "a semantic version",
    compile: (value) => against(value, (order) => order <= 0),
  },
} as const satisfies Record<string, Operator>;

function against(value: Json | undefined, test: (order: number) => boolean) {
  const bound = typeof value === "string" ? parseVersion(value) : undefined;
  if (bound === undefined) throw new TypeError(`must be a semantic version such as "1.4.0", found ${describe(value)}`);
  return (attribute: Present) => {
    const found = typeof attribute === "string" ? parseVersion(attribute) : undefined;
    return found !== undefined && test(compare(found, bound));
  };
}

const SHORT = /^v?(\d{1,15})(?:\.(\d{1,15}))?$/;

function parseVersion(text: string): SemVer | undefined {
  const short = SHORT.exec(text);
  return parse(short === null ? text : `${short[1]}.${short[2] ?? 0}.0`) ?? undefined;
}
