import { once } from "node:events";
import { type ConditionInterface, type FeatureDefinitions, GrowthBookClient } from "@growthbook/growthbook";
import { InMemStorageProvider, Unleash } from "unleash-client";
import type { Decision } from "../../core/decision/decision.ts";
import { evaluate, evaluateAll } from "../../core/engine/evaluate.ts";
import { compile } from "../../core/engine/snapshot.ts";
import type { Feature } from "../../core/feature/feature.ts";
import type { FeatureWrite } from "../../core/feature/feature-write.ts";
import { toDefinition } from "../../core/feature/to-definition.ts";
import { builtIn } from "../../plugins/built-in.ts";
import { fiveRules, mixed, NAMES, ORGS, PLANS, rollout, USERS } from "./workload.ts";

/** An engine that holds the features "rollout", "five-rules" and `count` mixed ones, ready to be asked. */
export interface Contender {
  /** Whether the feature is on for USERS[user]. */
  ask(feature: string, user: number): boolean;
  /** How many features are on for USERS[user], all the mixed ones evaluated. Ours decides the single ones with them. */
  askAll(user: number): number;
  close(): void;
}

const keys = (count: number) => NAMES.slice(0, count);

/** The engine alone: every answer is a whole Decision, with reason, source and bucket. */
export function ours(count: number): Contender {
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const writes = [rollout("rollout"), fiveRules("five-rules"), ...Array.from({ length: count }, (_, i) => mixed(i))];
  const snapshot = compile(
    {
      environment: "production",
      revision: 1,
      features: writes.map((write, i) => stored(write, i)),
      segments: [
        {
          environment: "production",
          key: "big",
          name: "big",
          condition: { attribute: "/org_id", op: "in", value: ORGS },
          version: 1,
          created_at: AT,
          updated_at: AT,
        },
      ],
      models: [],
      experiments: [],
    },
    strategies,
    {
      timing: {
        clock: () => performance.now(),
        deadline: (milliseconds, expired) => {
          const timer = setTimeout(expired, milliseconds);
          return () => clearTimeout(timer);
        },
      },
    },
  );
  const now = Date.parse(AT);
  const userAt = (user: number) => USERS[user] as (typeof USERS)[number] & Record<string, never>;
  return {
    ask: (feature, user) => (evaluate(snapshot, feature, userAt(user), { now }) as Decision).enabled,
    askAll: (user) => {
      let on = 0;
      evaluateAll(snapshot, undefined, userAt(user), { now }, (decision) => {
        if ((decision as Decision).enabled) on += 1;
      });
      return on;
    },
    close: () => {},
  };

  function stored(write: FeatureWrite, id: number): Feature {
    const definition = toDefinition(write, { strategies });
    return { ...definition, id, environment: "production", version: 1, created_at: AT, updated_at: AT };
  }
}

const AT = "2026-11-01T00:00:00.000Z";

export async function unleash(count: number): Promise<Contender> {
  const rule = (constraint: { contextName: string; operator: string; values?: string[]; value?: string }) => ({
    name: "default",
    parameters: {},
    constraints: [{ inverted: false, values: [], ...constraint }],
  });
  const flexible = (percentage: number, groupId: string, segments: number[] = []) => ({
    name: "flexibleRollout",
    parameters: { rollout: String(percentage), stickiness: "userId", groupId },
    constraints: [],
    segments,
  });
  const feature = (name: string, strategies: unknown[]) => ({ name, enabled: true, strategies });
  const data = [
    feature("rollout", [flexible(25, "rollout")]),
    feature("five-rules", [
      rule({ contextName: "country", operator: "IN", values: ["xx"] }),
      rule({ contextName: "plan", operator: "IN", values: PLANS }),
      rule({ contextName: "appVersion", operator: "SEMVER_GT", value: "9.0.0" }),
      {
        name: "default",
        parameters: {},
        constraints: [
          { contextName: "age", operator: "NUM_GTE", value: "90", inverted: false, values: [] },
          { contextName: "age", operator: "NUM_LT", value: "99", inverted: false, values: [] },
        ],
      },
      flexible(50, "five-rules", [1]),
    ]),
    ...keys(count).map((name, i) =>
      i % 10 < 7
        ? feature(name, [flexible(25, name)])
        : feature(name, [rule({ contextName: "country", operator: "IN", values: ["de"] }), flexible(50, name)]),
    ),
  ];
  const segments = [{ id: 1, constraints: [{ contextName: "orgId", operator: "IN", inverted: false, values: ORGS }] }];
  const client = new Unleash({
    appName: "bench",
    url: "http://127.0.0.1:1/",
    refreshInterval: 0,
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: { data, segments } as NonNullable<ConstructorParameters<typeof Unleash>[0]["bootstrap"]>,
  });
  client.on("error", () => {}); // It has no server to ask: everything is in the bootstrap.
  const ready = once(client, "ready");
  await client.start();
  await ready;
  const contexts = USERS.map(({ user_id, app_version, org_id, returning, ...rest }) => ({
    userId: user_id,
    properties: { ...rest, appVersion: app_version, orgId: org_id, returning: String(returning) },
  }));
  const all = keys(count);
  return {
    ask: (name, user) => client.isEnabled(name, contexts[user]),
    askAll: (user) => all.reduce((on, name) => (client.isEnabled(name, contexts[user]) ? on + 1 : on), 0),
    close: () => client.destroy(),
  };
}

export function growthbook(count: number): Contender {
  const share = (coverage: number) => ({ force: true, coverage, hashAttribute: "id" });
  const rule = (condition: ConditionInterface) => ({ force: true, condition });
  const features: FeatureDefinitions = {
    rollout: { defaultValue: false, rules: [share(0.25)] },
    "five-rules": {
      defaultValue: false,
      rules: [
        rule({ country: "xx" }),
        rule({ plan: { $in: PLANS } }),
        rule({ app_version: { $vgte: "9.0.0" } }),
        rule({ age: { $gte: 90, $lt: 99 } }),
        { ...share(0.5), condition: { org_id: { $inGroup: "big" } } },
      ],
    },
    ...Object.fromEntries(
      keys(count).map((name, i) => [
        name,
        { defaultValue: false, rules: i % 10 < 7 ? [share(0.25)] : [rule({ country: "de" }), share(0.5)] },
      ]),
    ),
  };
  const client = new GrowthBookClient().initSync({ payload: { features, savedGroups: { big: ORGS } } });
  const contexts = USERS.map(({ user_id, ...rest }) => ({ attributes: { ...rest, id: user_id } }));
  const all = keys(count);
  const isOn = (name: string, user: number) => client.isOn(name, contexts[user] as (typeof contexts)[number]);
  return {
    ask: isOn,
    askAll: (user) => all.reduce((on, name) => (isOn(name, user) ? on + 1 : on), 0),
    close: () => client.destroy(),
  };
}
