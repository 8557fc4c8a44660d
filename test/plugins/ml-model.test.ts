import { describe, expect, test } from "vitest";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import { train } from "../../core/model/train.ts";
import type { Ask, Evaluator, Host, Verdict } from "../../core/strategy.ts";
import { strategy } from "../../plugins/ml-model/ml-model.ts";
import { START, shop, trainOptions } from "../core/model/made-up-shop.ts";
import { makeModel } from "../support/make-model.ts";

const trained = train(shop({ users: 2000 }), trainOptions());
const model = makeModel(trained, {
  ...{ version: "shop@1", feature_key: "shop", target: "propensity" },
  trained_at: new Date(START).toISOString(),
});

function host(changes: { model?: Model | undefined; variants?: string[] } = {}): Host {
  return {
    feature: {
      key: "shop",
      type: "boolean",
      variants: changes.variants ?? ["off", "on"],
      off_variant: "off",
      fallback_variant: "off",
    },
    objective: null,
    model: "model" in changes ? changes.model : model,
    challenger: undefined,
    condition: () => {
      throw new Error("Not used");
    },
  };
}

function prepare(config: Record<string, Json> = {}, on: Host = host()): Evaluator {
  return strategy.prepare(strategy.config.parse({ mode: "propensity", ...config }), on);
}

function ask(user: Record<string, Json>, changes: Partial<Ask> = {}): Ask {
  return {
    user: { user_id: "u", ...user },
    now: START,
    explain: false,
    profile: {},
    variantOf: () => undefined,
    ...changes,
  };
}

const RICH = { plan: "pro", basket: 180, mobile: false, age: 30, code: 2 };
const POOR = { plan: "free", basket: 11, mobile: true, age: 30, code: 2 };

describe("ml-model", () => {
  test("serves the variant to users above the threshold and the off variant to those below", () => {
    const evaluate = prepare({ threshold_value: 0.4 });
    expect(evaluate(ask(RICH))).toMatchObject({
      variant: "on",
      threshold: 0.4,
      threshold_mode: "fixed",
      model_version: "shop@1",
    });
    expect(evaluate(ask(POOR))).toMatchObject({ variant: "off" });
    const { score, confidence } = evaluate(ask(RICH)) as Verdict;
    expect(score).toBeGreaterThan(0.4);
    expect(confidence).toBeGreaterThan(0.9);
  });

  test("is sure far from the threshold, and abstains near it", () => {
    const score = (prepare({ min_confidence: 0 })(ask(RICH)) as Verdict).score ?? 0;
    const near = prepare({ threshold_value: score + 0.001 })(ask(RICH)) as Verdict;
    expect(near).toMatchObject({ abstain: "low_confidence", score });
    expect(near.confidence).toBeGreaterThanOrEqual(0.5);
    expect(near.confidence).toBeLessThan(0.6);
  });

  test("names the variants it may serve, and takes defaults from the feature", () => {
    const config = strategy.config.parse({ mode: "propensity", variant: "blue", otherwise_variant: "green" });
    expect(strategy.variants?.(config)).toEqual(["blue", "green"]);
    const colours = host({ variants: ["off", "blue", "green"] });
    expect(prepare({ threshold_value: 0 }, colours)(ask(RICH))).toMatchObject({ variant: "blue" });
    expect(prepare({ threshold_value: 1, otherwise_variant: "green" }, colours)(ask(RICH))).toMatchObject({
      variant: "green",
    });
  });

  test("lets the share of users pass with match_rollout", () => {
    const decide = (share: number) =>
      prepare({ threshold_mode: "match_rollout", share, min_confidence: 0 })(ask(RICH)) as Verdict;
    expect(decide(1)).toMatchObject({ variant: "on", confidence: 1 });
    expect(decide(0.5)).toMatchObject({ variant: "on" });
    expect(decide(0)).toMatchObject({ variant: "off", confidence: 1 });
  });

  test("takes the threshold with the best F1 from the model with maximize_f1", () => {
    const verdict = prepare({ threshold_mode: "maximize_f1" })(ask(RICH));
    expect(verdict).toMatchObject({
      threshold: (model.metrics as { best_threshold_by_f1: number }).best_threshold_by_f1,
    });
  });

  test("abstains without a model", () => {
    expect(prepare({}, host({ model: undefined }))(ask(RICH))).toEqual({ abstain: "no_model" });
  });

  test("abstains with a model that is too old", () => {
    const week = 7 * 86_400_000;
    expect(prepare()(ask(RICH, { now: START + week }))).toHaveProperty("variant");
    expect(prepare()(ask(RICH, { now: START + week + 1 }))).toMatchObject({
      abstain: "stale_model",
      model_version: "shop@1",
    });
    expect(prepare({ max_age_seconds: 10 })(ask(RICH, { now: START + 10_001 }))).toMatchObject({
      abstain: "stale_model",
    });
  });

  test("abstains with a model of another feature schema, or of a form it cannot read", () => {
    const artifact = { ...(model.artifact as Record<string, Json>), feature_schema: 99 };
    const other = prepare({}, host({ model: { ...model, artifact } }))(ask(RICH, { explain: true }));
    expect(other).toMatchObject({ abstain: "stale_model" });
    expect((other as Verdict).detail).toContain("feature schema 99");
    const broken = prepare({}, host({ model: { ...model, artifact: { format: 7 } } }));
    expect(broken(ask(RICH))).toMatchObject({ abstain: "stale_model" });
  });

  test("abstains when the profile could not be read, or no attribute is known, and says so", () => {
    const evaluate = prepare();
    expect(evaluate(ask(RICH, { profile: undefined }))).toMatchObject({ abstain: "missing_features" });
    const blank = evaluate(ask({ colour: "red" }, { explain: true })) as Verdict;
    expect(blank).toMatchObject({ abstain: "missing_features" });
    expect(blank.detail).toContain("plan");
  });

  test("imputes a single missing value, and one of the wrong type", () => {
    const { age: _, ...ageless } = RICH;
    for (const user of [ageless, { ...RICH, age: "thirty" }, { ...RICH, age: { years: 30 } }, { ...RICH, age: null }])
      expect(prepare({ min_confidence: 0 })(ask(user))).toHaveProperty("variant");
  });

  test("explains with the features that moved the score", () => {
    const verdict = prepare({ threshold_value: 0.4 })(ask(RICH, { explain: true })) as Verdict;
    expect(verdict.detail).toMatch(/reaches the threshold 0\.4000/);
    const { contributions } = verdict.evidence as { contributions: { feature: string; contribution: number }[] };
    expect(contributions.length).toBeLessThanOrEqual(20);
    expect(
      contributions
        .slice(0, 2)
        .map(({ feature }) => feature)
        .sort(),
    ).toEqual(["attribute.basket", "attribute.plan"]);
    expect(() => JSON.stringify(verdict)).not.toThrow();
  });

  test("gives the same verdict with and without an explanation", () => {
    const evaluate = prepare({ threshold_value: 0.4, min_confidence: 0 });
    for (const user of [RICH, POOR, {}]) {
      const plain = evaluate(ask(user));
      expect(evaluate(ask(user, { explain: true }))).toMatchObject(plain as object);
    }
  });

  test("refuses a config that is out of bounds, and fills the defaults of the rest", () => {
    expect(strategy.config.parse({})).toEqual({
      mode: "uplift",
      threshold_mode: "fixed",
      threshold_value: 0.1,
      share: 0.5,
    });
    for (const wrong of [
      { threshold_value: 2 },
      { threshold_mode: "guess" },
      { share: -1 },
      { treshold_value: 0.5 },
      { variant: "on" },
      { mode: "propensity", arms: ["on", "off"] },
      { arms: ["on", "on"] },
    ])
      expect(strategy.config.safeParse(wrong).success).toBe(false);
  });
});
