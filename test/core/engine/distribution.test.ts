import { describe, expect, test } from "vitest";
import { z } from "zod";
import { distributionOf } from "../../../core/engine/distribution.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import type { Strategy } from "../../../core/strategy.ts";
import { makeConfiguration, makeFeature, withStrategies } from "../../support/make-configuration.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const slow: Strategy = {
  id: "slow",
  contract: 1,
  summary: "Answers later",
  config: z.unknown(),
  prepare: () => async () => ({ variant: "on" }),
};
const strategies = withStrategies(slow);
type Steps = NonNullable<Parameters<typeof makeFeature>[0]["steps"]>;
type Step = Steps[number];

const rule = (when: object, variant: string): Step => ({
  id: `rule-${variant}`,
  strategy: "rule-filters",
  config: { rules: [{ id: "one", when, variant }] } as Step["config"],
  on_failure: "next",
});
const rollout = (config: object): Step => ({
  id: "rollout",
  strategy: "hash-bucketing",
  config: config as Step["config"],
  on_failure: "next",
});

function distribution(steps: readonly Step[], user: Record<string, string> = { user_id: "ada" }) {
  const feature = makeFeature({ key: "offer", steps: [...steps] }, { strategies });
  const snapshot = compile(makeConfiguration({ features: [feature] }), strategies);
  return distributionOf(snapshot, "offer", user, { now: NOW });
}

describe("distributionOf()", () => {
  test("is the weights of a rollout, and sure where a rule decides", () => {
    const arms = [
      { variant: "on", weight: 25 },
      { variant: "off", weight: 75 },
    ];
    const steps = [rule({ attribute: "/plan", op: "equals", value: "pro" }, "on"), rollout({ arms })];
    expect(distribution(steps)).toEqual({ on: 0.25, off: 0.75 });
    expect(distribution(steps, { user_id: "ada", plan: "pro" })).toEqual({ on: 1 });
  });

  test("hands what a step leaves over to the next, and the rest to the fallback variant", () => {
    const first = rollout({
      arms: [
        { variant: "on", weight: 40 },
        { variant: null, weight: 60 },
      ],
      traffic: [{ percentage: 50 }],
    });
    const second = {
      ...rollout({
        arms: [
          { variant: "on", weight: 10 },
          { variant: null, weight: 90 },
        ],
      }),
      id: "second",
    };
    const found = distribution([first, second]);
    expect(found?.on).toBeCloseTo(0.2 + 0.8 * 0.1, 12);
    expect(found?.off).toBeCloseTo(0.8 * 0.9, 12);
  });

  test("agrees with what is really served to 200,000 users", () => {
    const first = rollout({
      arms: [
        { variant: "on", weight: 40 },
        { variant: null, weight: 60 },
      ],
      traffic: [{ percentage: 50 }],
    });
    const second = {
      ...rollout({
        bucketing: { seed: "other" },
        arms: [
          { variant: "on", weight: 10 },
          { variant: "off", weight: 90 },
        ],
      }),
      id: "second",
    };
    const snapshot = compile(
      makeConfiguration({ features: [makeFeature({ key: "offer", steps: [first, second] })] }),
      strategies,
    );
    const share = distributionOf(snapshot, "offer", { user_id: "anybody" }, { now: NOW })?.on as number;
    const n = 200_000;
    let on = 0;
    for (let i = 0; i < n; i++) {
      const decision = evaluate(snapshot, "offer", { user_id: `u${i}` }, { now: NOW });
      if (!(decision instanceof Promise) && decision.variant === "on") on++;
    }
    expect(Math.abs(on / n - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / n));
  });

  test("is not known where a step answers with a promise, and of no feature that does not exist", () => {
    expect(distribution([{ id: "slow", strategy: "slow", config: {}, on_failure: "next" }])).toBeNull();
    const snapshot = compile(makeConfiguration({ features: [] }), strategies);
    expect(distributionOf(snapshot, "offer", {}, { now: NOW })).toBeNull();
  });
});
