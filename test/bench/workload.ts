/** The same users and the same features for every contender: only the notation differs. */
import type { Condition } from "../../core/feature/condition.ts";
import type { FeatureWrite } from "../../core/feature/feature-write.ts";
import type { Json } from "../../core/json.ts";

/** user_id and ten attributes. */
export interface BenchUser {
  readonly user_id: string;
  readonly country: string;
  readonly plan: string;
  readonly app_version: string;
  readonly age: number;
  readonly org_id: string;
  readonly email: string;
  readonly device: string;
  readonly language: string;
  readonly sessions: number;
  readonly returning: boolean;
}

/** Parsed from JSON, as a request's body is. */
export const USERS: readonly BenchUser[] = JSON.parse(
  JSON.stringify(Array.from({ length: 1000 }, (_, i) => makeUser(i))),
) as BenchUser[];

export function makeUser(i: number): BenchUser {
  return {
    user_id: `user-${String(i).padStart(8, "0")}-4f1c-9a27-b3d6`,
    country: ["de", "fr", "us", "jp"][i % 4] ?? "de",
    plan: ["free", "team", "business"][i % 3] ?? "free",
    app_version: `2.${i % 20}.${i % 7}`,
    age: 18 + (i % 60),
    org_id: `org-${i % 1000}`,
    email: `user${i}@example.com`,
    device: i % 2 === 0 ? "phone" : "desktop",
    language: i % 5 === 0 ? "fr" : "en",
    sessions: i % 100,
    returning: i % 3 !== 0,
  };
}

/** None of the users has one of these. */
export const PLANS = Array.from({ length: 100 }, (_, i) => `plan-${i}`);
/** Every user belongs to one of these. */
export const ORGS = Array.from({ length: 1000 }, (_, i) => `org-${i}`);

/** A boolean feature rolled out to 25 % of the users. */
export function rollout(key: string): FeatureWrite {
  return { key, name: key, rollout_percentage: 25 };
}

/** Five rules: equals, in a list of 100, version, number range, segment of 1,000. Only the last matches; then 50/50. */
export function fiveRules(key: string): FeatureWrite {
  const rule = (when: Condition) => ({ when, variant: "on" });
  return {
    key,
    name: key,
    steps: [
      {
        id: "rules",
        strategy: "rule-filters",
        on_failure: "next",
        config: {
          rules: [
            rule({ attribute: "/country", op: "equals", value: "xx" }),
            rule({ attribute: "/plan", op: "in", value: PLANS }),
            rule({ attribute: "/app_version", op: "semver_gte", value: "9.0.0" }),
            rule({
              all: [
                { attribute: "/age", op: "gte", value: 90 },
                { attribute: "/age", op: "lt", value: 99 },
              ],
            }),
          ] as unknown as Json[],
        },
      },
      {
        id: "half",
        strategy: "hash-bucketing",
        on_failure: "next",
        when: { segment: "big" },
        config: { arms: [arm("on", 50), arm("off", 50)] },
      },
    ],
  };
}

const arm = (variant: string, weight: number) => ({ variant, weight });

/** Keys of the mixed features; the same string objects for all, for comparing equal but different strings takes time. */
export const NAMES = Array.from({ length: 10_000 }, (_, i) => `feature-${i}`);

/** What "all features" means: seven in ten are rollouts, three have one rule that matches a quarter, then 50 %. */
export function mixed(i: number): FeatureWrite {
  const key = NAMES[i] ?? `feature-${i}`;
  if (i % 10 < 7) return rollout(key);
  return {
    key,
    name: key,
    steps: [
      {
        id: "rules",
        strategy: "rule-filters",
        on_failure: "next",
        config: { rules: [{ when: { attribute: "/country", op: "equals", value: "de" }, variant: "on" }] },
      },
      {
        id: "half",
        strategy: "hash-bucketing",
        on_failure: "next",
        config: { arms: [arm("on", 50), arm("off", 50)] },
      },
    ],
  };
}
