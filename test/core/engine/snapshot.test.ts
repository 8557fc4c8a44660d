import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Decision } from "../../../core/decision/decision.ts";
import { distributionOf } from "../../../core/engine/distribution.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import type { Experiment } from "../../../core/experiment/experiment.ts";
import type { Segment } from "../../../core/feature/segment.ts";
import type { Model } from "../../../core/model/model.ts";
import type { Strategy } from "../../../core/strategy.ts";
import { makeConfiguration, makeFeature, STRATEGIES, withStrategies } from "../../support/make-configuration.ts";

const rule = (when: object) => [
  {
    id: "s",
    strategy: "rule-filters",
    on_failure: "next" as const,
    config: { rules: [{ when, variant: "on" }] } as never,
  },
];
const segment = (version: number, plan: string): Segment => ({
  environment: "production",
  key: "paying",
  name: "Paying",
  condition: { attribute: "/plan", op: "equals", value: plan },
  version,
  created_at: "",
  updated_at: String(version),
});
const plain = makeFeature({ key: "plain", rollout_percentage: 0 });
const paying = makeFeature({ key: "paying", steps: rule({ segment: "paying" }) });
const child = makeFeature({ key: "child", steps: rule({ feature: "plain" }) });

function model(version: string, feature_key: string | null): Model {
  return { version, feature_key, hash: version, status: "live" } as Model;
}

/** Shows which model it was prepared with, in the trace. */
const learner: Strategy = {
  id: "learner",
  contract: 1,
  summary: "For tests",
  config: z.unknown(),
  profile: true,
  prepare: (_, host) => () => ({ variant: "on", model_version: host.model?.version ?? "none" }),
};
const strategies = withStrategies(learner);
const learning = makeFeature(
  { key: "learning", steps: [{ id: "s", strategy: "learner", on_failure: "next" }] },
  { strategies },
);

describe("compile()", () => {
  test("takes over features that did not change", () => {
    const features = [plain, paying, child];
    const first = compile(makeConfiguration({ features, segments: [segment(1, "pro")] }), STRATEGIES);
    const raised = makeFeature({ key: "plain", rollout_percentage: 20 }, { stored: plain });
    const second = compile(
      makeConfiguration({ features: [raised, paying, child], segments: [segment(1, "pro")] }),
      STRATEGIES,
      {
        previous: first,
      },
    );
    expect(second.features.get("paying")).toBe(first.features.get("paying"));
    expect(second.features.get("child")).toBe(first.features.get("child"));
    expect(second.features.get("plain")).not.toBe(first.features.get("plain"));
  });

  test("compiles again what refers to a changed segment or off variant", () => {
    const before = { features: [plain, paying, child], segments: [segment(1, "pro")] };
    const first = compile(makeConfiguration(before), STRATEGIES);
    const ask = (snapshot: typeof first, key: string) =>
      evaluate(snapshot, key, { user_id: "user-1", plan: "team" }, { now: 0 });
    expect(ask(first, "paying")).toMatchObject({ variant: "off" });
    const second = compile(makeConfiguration({ ...before, segments: [segment(2, "team")] }), STRATEGIES, {
      previous: first,
    });
    expect(ask(second, "paying")).toMatchObject({ variant: "on" });
    expect(second.features.get("plain")).toBe(first.features.get("plain"));

    expect(ask(second, "child")).toMatchObject({ variant: "off" });
    const turned = makeFeature({ key: "plain", off_variant: "on" }, { stored: plain });
    const third = compile(makeConfiguration({ ...before, features: [turned, paying, child] }), STRATEGIES, {
      previous: second,
    });
    expect(ask(third, "plain")).toMatchObject({ variant: "off", enabled: true });
    expect(ask(third, "child")).toMatchObject({ variant: "on" });
  });

  test("gives each feature its own live model, else the global one, and follows them", () => {
    const ask = (...models: Model[]) => {
      const snapshot = compile(makeConfiguration({ features: [learning], models }), strategies);
      return evaluate(snapshot, "learning", {}, { now: 0 });
    };
    expect(ask()).toMatchObject({ model_version: "none" });
    expect(ask(model("global@1", null))).toMatchObject({ model_version: "global@1" });
    expect(ask(model("learning@1", "learning"), model("global@1", null))).toMatchObject({
      model_version: "learning@1",
    });

    const first = compile(
      makeConfiguration({ features: [learning], models: [model("learning@1", "learning")] }),
      strategies,
    );
    const next = makeConfiguration({ features: [learning], models: [model("learning@2", "learning")] });
    const second = compile(next, strategies, { previous: first });
    expect(evaluate(second, "learning", {}, { now: 0 })).toMatchObject({ model_version: "learning@2" });
  });

  test("knows which features want the profile, through prerequisites too", () => {
    const asks = makeFeature({ key: "asks", steps: rule({ feature: "learning" }) });
    const asksAgain = makeFeature({ key: "again", steps: rule({ not: { feature: "asks" } }) });
    const { features } = compile(makeConfiguration({ features: [asksAgain, asks, learning, plain] }), strategies);
    const wanted = [...features.values()].map(({ key, profile, learns }) => [key, profile, learns]);
    expect(wanted).toEqual([
      ["again", true, false],
      ["asks", true, false],
      ["learning", true, true],
      ["plain", false, false],
    ]);
  });

  test("a step that is never asked wants nothing", () => {
    const never = makeFeature(
      { key: "never", steps: [{ id: "s", strategy: "learner", on_failure: "next", when: false }] },
      { strategies },
    );
    const { features } = compile(makeConfiguration({ features: [never] }), strategies);
    expect(features.get("never")).toMatchObject({ profile: false, learns: false });
  });

  test("keeps of a plain rollout what places users, and makes its plan when somebody asks more", () => {
    const rollout = makeFeature({ key: "plain", rollout_percentage: 40 });
    const first = compile(makeConfiguration({ features: [rollout] }), STRATEGIES);
    const user = { user_id: "user-1" };
    const decided = evaluate(first, "plain", user, { now: 0 });
    expect(first.features.get("plain")?.plan).toBeNull();
    const { trace, ...explained } = evaluate(first, "plain", user, { now: 0, explain: true }) as Decision;
    expect(explained).toEqual(decided);
    expect(trace?.steps[0]).toMatchObject({ id: "rollout", outcome: "decided" });
    expect(evaluate(first, "plain", {}, { now: 0 })).toMatchObject({ fallback: { cause: "missing_features" } });
    expect(distributionOf(first, "plain", user, { now: 0 })).toEqual({ on: 0.4, off: 0.6 });

    const running = makeExperiment("plain");
    const second = compile(makeConfiguration({ features: [rollout], experiments: [running] }), STRATEGIES, {
      previous: first,
    });
    expect(evaluate(second, "plain", user, { now: 0 })).toMatchObject({ decision_source: "experiment" });
    const third = compile(makeConfiguration({ features: [rollout] }), STRATEGIES, { previous: second });
    expect(evaluate(third, "plain", user, { now: 0 })).toEqual(decided);
    const fourth = compile(makeConfiguration({ features: [rollout] }), STRATEGIES, { previous: third });
    expect(fourth.features.get("plain")).toBe(third.features.get("plain"));
  });

  test("keeps equal parts of definitions once, in objects of its own", () => {
    const halves = ["one", "two"].map((key) => makeFeature({ key, rollout_percentage: 50, description: `The ${key}` }));
    const before = structuredClone(halves);
    const { features } = compile(makeConfiguration({ features: halves }), STRATEGIES);
    const [one, two] = ["one", "two"].map((key) => features.get(key)?.definition);
    expect([one, two]).toEqual(before);
    expect(halves).toEqual(before);
    expect(one?.variants).toBe(two?.variants);
    expect(one?.variants).not.toBe(halves[0]?.variants);
    expect(one?.steps).not.toEqual(two?.steps);
    expect(features.get("one")?.sides).toBe(features.get("two")?.sides);
  });
});

function makeExperiment(feature_key: string): Experiment {
  const [created_at, environment] = ["2026-11-01T00:00:00.000Z", "production"];
  const arms = [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "on", weight: 50 },
  ];
  const asked = {
    name: "test",
    feature_key,
    primary_metric_event: "bought",
    min_samples_per_variant: 100,
    min_lift: 0,
  };
  return { ...asked, id: 1, environment, alpha: 0.05, arms, seed: "s", enabled: true, created_at, ended_at: null };
}
