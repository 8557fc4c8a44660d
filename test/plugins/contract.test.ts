import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Objective } from "../../core/feature/objective.ts";
import type { User } from "../../core/strategy.ts";
import { strategy as businessHours } from "../../docs/examples/business-hours.ts";
import { strategy as bandit } from "../../plugins/bandit/bandit.ts";
import { strategy as hashBucketing } from "../../plugins/hash-bucketing/hash-bucketing.ts";
import type { Check } from "../../plugins/kit/check.ts";
import { checkStrategy } from "../../plugins/kit/check-strategy.ts";
import { strategy as mlModel } from "../../plugins/ml-model/ml-model.ts";
import { strategy as ruleFilters } from "../../plugins/rule-filters/rule-filters.ts";
import { BANDIT_ARMS, makeBandit, TRAINED } from "../support/make-bandit.ts";

const arms = (on: number) => [
  { variant: "on", weight: on },
  { variant: "off", weight: 100 - on },
];
const objective = { ...Objective.parse({}), safe_variant: "off" };
const hour = (day: number, at: number) => Date.UTC(2026, 10, day, at);

const suites: Readonly<Record<string, readonly Check[]>> = {
  "hash-bucketing": checkStrategy(hashBucketing, {
    configs: [
      { arms: arms(50) },
      { arms: arms(100) },
      { arms: [...arms(10).slice(0, 1), { variant: null, weight: 90 }], unit: ["company", "user_id"] },
      {
        arms: arms(50),
        traffic: [
          { percentage: 20, unit: ["country"] },
          { percentage: 100, unit: ["plan"] },
        ],
      },
    ],
    users: Array.from({ length: 50 }, (_, index): User => ({ user_id: `user-${index}`, country: `c${index}` })),
  }),
  "rule-filters": checkStrategy(ruleFilters, {
    configs: [
      {
        rules: [
          { id: "pro", when: { attribute: "/plan", op: "in", value: ["pro"] }, variant: "on" },
          { when: { all: [{ gate: { percentage: 10 } }, { not: { segment: "missing" } }] }, variant: "off" },
          { when: { feature: "missing" }, variant: "on" },
        ],
      },
    ],
  }),
  "ml-model without a model": checkStrategy(mlModel, {
    configs: [
      {},
      { mode: "propensity", threshold_mode: "match_rollout", share: 0.25, variant: "on", otherwise_variant: "off" },
    ],
  }),
  "bandit without a model": checkStrategy(bandit, {
    configs: [{}, { policy: "thompson", arms: ["on", "off"] }],
    objective,
  }),
  "bandit without an objective": checkStrategy(bandit, { configs: [{}] }),
  bandit: checkStrategy(bandit, {
    configs: [
      {},
      { policy: "squarecb", gamma0: 2, unit: ["company", "user_id"], max_age_seconds: 60 },
      { policy: "thompson", arms: ["off", "green"] },
      { policy: "linucb", alpha: 0.5 },
      { policy: "epsilon-greedy", epsilon: 0.2 },
      { policy: "thompson-no-context" },
    ],
    users: Array.from({ length: 50 }, (_, index): User => ({ user_id: `user-${index}`, age: (index % 3) - 1 })),
    feature: { key: "offer", type: "string", variants: BANDIT_ARMS, off_variant: "off", fallback_variant: "off" },
    objective,
    model: makeBandit(),
    profile: {},
    moments: [TRAINED, TRAINED + 30 * 86_400_000],
  }),
  "the example plugin": checkStrategy(businessHours, {
    configs: [{ variant: "on" }, { variant: "on", time_zone: "Asia/Tokyo", days: ["Sun"], from: 0, to: 24 }],
    moments: [hour(30, 3), hour(30, 12), hour(29, 12), 0],
  }),
};

describe.each(Object.entries(suites))("%s holds the contract", (_, checks) => {
  test.each(checks.map(({ name, run }) => [name, run] as const))("%s", async (_name, run) => {
    await run();
  });
});

test("business-hours knows days, hours and zones", () => {
  const config = z.parse(businessHours.config, { variant: "on", time_zone: "Europe/Berlin" });
  const evaluate = businessHours.prepare(config, {} as never);
  const ask = (now: number) =>
    evaluate({ user: {}, now, explain: false, profile: undefined, variantOf: () => undefined });
  expect(ask(hour(30, 8)), "Monday 09:00 in Berlin").toEqual({ variant: "on" });
  expect(ask(hour(30, 7)), "Monday 08:00").toEqual({ abstain: "no_match" });
  expect(ask(hour(30, 16)), "Monday 17:00").toEqual({ abstain: "no_match" });
  expect(ask(hour(29, 10)), "Sunday").toEqual({ abstain: "no_match" });
  expect(businessHours.config.safeParse({ variant: "on", time_zone: "Moon" }).success).toBe(false);
});

describe("the kit finds", () => {
  const sound = { ...businessHours, id: "sound", config: z.unknown(), variants: () => ["on"], reads: () => ["/plan"] };
  const failures = async (changes: object) => {
    const failed: string[] = [];
    for (const { name, run } of checkStrategy({ ...sound, ...changes } as never, { configs: [{}] }))
      await run().catch(() => failed.push(name.replace("config 1: ", "")));
    return failed;
  };
  const decides = (evaluator: (ask: { user: Record<string, unknown>; explain: boolean }) => unknown) => ({
    prepare: () => evaluator,
  });
  const no = { abstain: "no_match" };
  const byPlan = ({ user }: { user: Record<string, unknown> }) =>
    typeof user.plan === "string" ? { variant: "on" } : no;
  let calls = 0;

  test.each([
    ["nothing wrong with a sound one", decides(({ user }) => (user.plan === "pro" ? { variant: "on" } : no)), []],
    ["a bad name", { ...decides(byPlan), id: "Bad Name" }, ["is named and summed up"]],
    [
      "a config that is not JSON",
      {
        ...decides(byPlan),
        config: z.unknown().transform(() => new Date(0)),
      },
      ["survives being stored and completed again"],
    ],
    [
      "a config without JSON Schema",
      { ...decides(byPlan), config: z.custom(() => true) },
      ["describes its config as JSON Schema"],
    ],
    [
      "an undeclared variant",
      decides(({ user }) => (user.plan === "pro" ? { variant: "purple" } : no)),
      ["gives sound verdicts to odd users"],
    ],
    [
      "state",
      decides(({ user }) => {
        calls += 1;
        if (typeof user.plan !== "string") return no;
        return { variant: calls % 2 === 0 ? "on" : "off" };
      }),
      ["gives the same ask the same verdict", "decides the same when it explains"],
    ],
    [
      "writes",
      decides(({ user }) => {
        if (typeof user.plan !== "string") return no;
        user.plan = "free";
        return { variant: "on" };
      }),
      ["leaves its input untouched"],
    ],
    [
      "throws",
      decides(({ user }) => ({ variant: (user.plan as string).length > 0 ? "on" : "on" })),
      expect.arrayContaining(["gives sound verdicts to odd users"]),
    ],
    [
      "an explanation that differs",
      decides(({ user, explain }) => (user.plan === "pro" ? { variant: explain ? "on" : "off" } : no)),
      ["decides the same when it explains"],
    ],
    [
      "undeclared reads",
      decides(({ user }) => (user.plan === "pro" && user.age ? { variant: "on" } : no)),
      ["reads what it declares to read"],
    ],
    ["reads that never happen", decides(() => no), ["reads what it declares to read"]],
    [
      "decisions from oddities",
      decides(({ user }) => (user.plan === undefined ? no : { variant: "on" })),
      ["abstains when what it reads is odd"],
    ],
    [
      "a bounded promise",
      { ...decides(async (ask) => byPlan(ask)), bounded: true },
      ["keeps its promise to be bounded"],
    ],
  ])("%s", async (_, changes, expected) => {
    expect(await failures(changes)).toEqual(expected);
  });
});
