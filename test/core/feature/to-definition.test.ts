import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Feature } from "../../../core/feature/feature.ts";
import { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { shorthandOf } from "../../../core/feature/shorthand.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import { Invalid } from "../../../core/ports.ts";
import { makeFeature, STRATEGIES } from "../../support/make-configuration.ts";

const stored = makeFeature({ key: "checkout", rollout_percentage: 25 });

function update(feature: Feature, changes: object): Feature {
  return makeFeature({ key: feature.key, name: feature.name, ...changes }, { stored: feature });
}

/** What a client reads: the feature with its shorthand. */
function read(feature: Feature): object {
  return { ...feature, ...shorthandOf(feature) };
}

function refusal(write: object, feature?: Feature): Invalid {
  try {
    toDefinition(FeatureWrite.parse({ name: "Checkout", key: "checkout", ...write }), {
      strategies: STRATEGIES,
      stored: feature,
    });
  } catch (error) {
    if (error instanceof Invalid) return error;
    throw error;
  }
  throw new Error("It was accepted");
}

const split = (variant: string, weight: number) => ({
  arms: [
    { variant, weight },
    { variant: "off", weight: 100 - weight },
  ],
});

describe("FeatureWrite", () => {
  const parse = (write: object) => FeatureWrite.safeParse({ name: "Checkout", key: "checkout", ...write });

  test.each([
    [{ key: "123" }, "key"],
    [{ key: "ab" }, "key"],
    [{ key: "-ab" }, "key"],
    [{ key: "a b c" }, "key"],
    [{ key: "x".repeat(51) }, "key"],
    [{ name: "ab" }, "name"],
    [{ description: "x".repeat(501) }, "description"],
    [{ rollout_percentage: 101 }, "rollout_percentage"],
    [{ rollout_percentage: 0.0001 }, "rollout_percentage"],
    [{ rollout_percentage: Number.NaN }, "rollout_percentage"],
    [{ ml_threshold_mode: "best" }, "ml_threshold_mode"],
    [{ ml_threshold_value: 2 }, "ml_threshold_value"],
    [{ variants: {} }, "variants"],
    [{ variants: [] }, "variants"],
    [{ variants: JSON.parse('{"__proto__":1}') as object }, "variants.__proto__"],
    [{ variants: { constructor: true } }, "variants.constructor"],
    [{ variants: { on: Number.POSITIVE_INFINITY } }, "variants.on"],
    [{ steps: [{ id: "a b", strategy: "x" }] }, "steps.0.id"],
    [{ steps: [{ id: "a", strategy: "x", when: { attribute: "plan", op: "exists" } }] }, "steps.0.when.attribute"],
    [{ expires_at: "tomorrow" }, "expires_at"],
  ])("refuses %j at %s", (write, path) => {
    expect(parse(write).error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  test("names unknown fields", () => {
    expect(parse({ rollout: 10 }).error?.issues[0]?.message).toContain("rollout");
    expect(FeatureWrite.safeParse(JSON.parse('{"name":"Checkout","key":"checkout","__proto__":1}')).success).toBe(
      false,
    );
  });

  test("refuses values nested too deep without overflowing", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(parse({ variants: { on: { deep } } }).success).toBe(false);
  });

  test("has a JSON Schema", () => {
    expect(z.toJSONSchema(FeatureWrite, { io: "input" })).toHaveProperty("properties.variants.description");
  });
});

describe("toDefinition()", () => {
  test("expands the shorthand into a model step before a rollout step", () => {
    const feature = makeFeature({ key: "checkout", rollout_percentage: 25, ml_enabled: true, ml_threshold_value: 0.4 });
    expect(feature).toMatchObject({
      type: "boolean",
      variants: { on: true, off: false },
      off_variant: "off",
      fallback_variant: "off",
      enabled: true,
      steps: [
        {
          id: "model",
          strategy: "ml-model",
          config: { mode: "propensity", threshold_mode: "fixed", threshold_value: 0.4, share: 0.25 },
        },
        {
          id: "rollout",
          strategy: "hash-bucketing",
          config: {
            bucketing: { seed: "checkout" },
            arms: [
              { variant: "on", weight: 25, ranges: [[0, 25_000]] },
              { variant: "off", weight: 75 },
            ],
          },
        },
      ],
    });
    expect(shorthandOf(feature)).toEqual({
      rollout_percentage: 25,
      ml_enabled: true,
      ml_threshold_mode: "fixed",
      ml_threshold_value: 0.4,
    });
  });

  test("keeps thresholds while the model is switched off", () => {
    const feature = makeFeature({ key: "checkout", ml_threshold_mode: "maximize_f1", ml_threshold_value: 0.3 });
    expect(shorthandOf(feature)).toEqual({
      rollout_percentage: 0,
      ml_enabled: false,
      ml_threshold_mode: "maximize_f1",
      ml_threshold_value: 0.3,
    });
    const on = update(feature, { ml_enabled: true });
    expect(shorthandOf(on)).toMatchObject({ ml_enabled: true, ml_threshold_mode: "maximize_f1" });
    expect(shorthandOf(update(on, { ml_enabled: false }))).toEqual(shorthandOf(feature));
  });

  test("writing back what was read changes nothing", () => {
    for (const feature of [
      stored,
      makeFeature({ key: "model", rollout_percentage: 12.345, ml_enabled: true }),
      makeFeature({
        key: "colour",
        variants: { red: "#f00", blue: "#00f" },
        off_variant: "red",
        steps: [
          {
            id: "gated",
            strategy: "rule-filters",
            on_failure: "next",
            when: { gate: { percentage: 10 } as never },
            config: { rules: [{ when: true, variant: "blue" }] },
          },
        ],
      }),
    ]) {
      const again = update(feature, read(feature));
      expect({ ...again, version: 1, updated_at: feature.updated_at }).toEqual(feature);
    }
  });

  test("the shorthand that was changed wins over steps sent back unchanged, and the other way round", () => {
    const byShorthand = update(stored, { ...read(stored), rollout_percentage: 50 });
    expect(shorthandOf(byShorthand).rollout_percentage).toBe(50);
    const steps = [{ id: "rollout", strategy: "hash-bucketing", config: split("on", 70) }];
    const bySteps = update(stored, { ...read(stored), steps });
    expect(shorthandOf(bySteps).rollout_percentage).toBe(70);
  });

  test("refuses steps and shorthand that were both changed to different things", () => {
    const steps = [{ id: "rollout", strategy: "hash-bucketing", config: split("on", 70) }];
    expect(refusal({ steps, rollout_percentage: 50 }, stored).code).toBe("contradiction");
    expect(refusal({ steps, rollout_percentage: 50 }).code).toBe("contradiction");
    expect(shorthandOf(update(stored, { steps, rollout_percentage: 70 })).rollout_percentage).toBe(70);
  });

  test("changing the shorthand leaves other steps alone", () => {
    const rules = { id: "staff", strategy: "rule-filters", config: { rules: [{ when: true, variant: "on" }] } };
    const feature = makeFeature({
      key: "checkout",
      steps: [rules, { id: "rollout", strategy: "hash-bucketing", config: split("on", 10) }] as never,
    });
    const raised = update(feature, { rollout_percentage: 20, ml_enabled: true });
    expect(raised.steps.map(({ id }) => id)).toEqual(["staff", "model", "rollout"]);
    expect(raised.steps[0]).toEqual(feature.steps[0]);
    expect(shorthandOf(raised)).toMatchObject({ rollout_percentage: 20, ml_enabled: true });
  });

  test("what an update leaves out stays as stored", () => {
    const feature = makeFeature({ key: "checkout", enabled: false, tags: ["a"], owner: "zoe", description: "Old" });
    expect(update(feature, {})).toMatchObject({ enabled: false, tags: ["a"], owner: "zoe", description: "Old" });
    expect(update(feature, { owner: null, description: null })).toMatchObject({ owner: null, description: null });
  });

  test("seeds outlive a new key; later splits and new splits get seeds of their own", () => {
    const renamed = makeFeature({ key: "renamed", rollout_percentage: 30 }, { stored });
    expect(renamed.steps[0]?.config).toMatchObject({ bucketing: { seed: "checkout" } });
    const first = { id: "new", strategy: "hash-bucketing", config: split("on", 5) };
    const two = update(stored, { steps: [first, ...stored.steps] });
    expect(two.steps.map(({ config }) => (config as { bucketing: { seed: string } }).bucketing.seed)).toEqual([
      "checkout#new",
      "checkout",
    ]);
  });

  test("a feature whose plugin is gone can still be switched off", () => {
    const steps = stored.steps.map((step) => ({ ...step, strategy: "vanished" }));
    const orphan: Feature = { ...stored, steps };
    expect(update(orphan, { enabled: false })).toMatchObject({ enabled: false, steps });
    expect(update(orphan, { ...read(orphan), enabled: false })).toMatchObject({ enabled: false, steps });
  });

  test("infers the type from the variants", () => {
    const variants = { a: { x: 1 }, b: { x: 2 } };
    expect(makeFeature({ key: "conf", variants, off_variant: "a" })).toMatchObject({ type: "object", steps: [] });
    expect(refusal({ variants: { a: 1, b: "x" }, off_variant: "a" }).code).toBe("mixed_variants");
    expect(refusal({ variants: { a: [1] }, off_variant: "a" }).code).toBe("mixed_variants");
  });

  const step = (config: object, more: object = {}) => ({
    steps: [{ id: "a", strategy: "hash-bucketing", config, ...more }],
  });
  test.each([
    [{ type: "string" }, "/variants", "needs variants"],
    [{ type: "string", variants: { "a/b": 1 }, off_variant: "a/b" }, "/variants/a~1b", "is 1"],
    [{ variants: { a: "x" } }, "/off_variant", "use one of a"],
    [{ fallback_variant: "no" }, "/fallback_variant", "use one of on, off"],
    [
      { variants: { a: "x", b: "y", c: "z" }, off_variant: "a", rollout_percentage: 5 },
      "/rollout_percentage",
      "a, b, c",
    ],
    [{ steps: [{ id: "a", strategy: "none" }] }, "/steps/0/strategy", "rule-filters"],
    [step(split("blue", 50)), "/steps/0/config", "blue"],
    [step({ arms: [{ variant: "on", weight: 50 }] }), "/steps/0/config/arms", "sum to 100"],
    [step({ arms: [{ variant: "on", weight: -1 }] }), "/steps/0/config/arms/0/weight", "0"],
    [step({ ...split("on", 50), x: 1 }), "/steps/0/config/x", "x"],
    [{ steps: [...step(split("on", 1)).steps, ...step(split("on", 2)).steps] }, "/steps/1/id", "unique"],
  ])("refuses %j at %s", (write, field, message) => {
    const error = refusal(write);
    expect(error.field).toBe(field);
    expect(error.message).toContain(message);
  });
});
