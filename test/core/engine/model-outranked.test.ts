import { beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import type { FeatureWrite } from "../../../core/feature/feature-write.ts";
import type { Model } from "../../../core/model/model.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../../support/make-configuration.ts";
import { makeModel } from "../../support/make-model.ts";
import { trainCheckout } from "../../workers/support/made-up-checkout.ts";

const NOW = Date.UTC(2026, 10, 22);
/** Whom the model is sure to serve "on". */
const PRO = { user_id: "ada", plan: "pro", visits: 5 };

let model: Model;
beforeAll(() => {
  model = makeModel(trainCheckout(), {
    ...{ version: "checkout@1", feature_key: "checkout", target: "uplift", trained_at: new Date(NOW).toISOString() },
  });
});

function decide(write: Partial<FeatureWrite> = {}) {
  const steps: FeatureWrite["steps"] = [{ id: "model", strategy: "ml-model", config: {}, on_failure: "next" }];
  const features = [
    makeFeature({ key: "checkout", ...write, steps: [...(write.steps ?? []), ...steps] }),
    makeFeature({ key: "basics", enabled: false }),
  ];
  const snapshot = compile(makeConfiguration({ features, models: [model] }), STRATEGIES);
  return evaluate(snapshot, "checkout", PRO, { now: NOW, profile: {} });
}

describe("a model that is sure", () => {
  test("decides where nothing is above it", () => {
    expect(decide()).toMatchObject({ variant: "on", decision_source: "ml", model_version: "checkout@1" });
  });

  test("is outranked by the kill switch", () => {
    expect(decide({ enabled: false })).toMatchObject({ variant: "off", decision_source: "feature_disabled" });
  });

  test("is outranked by a prerequisite that is switched off", () => {
    const when = { feature: "basics", variant: ["on"] };
    const steps: FeatureWrite["steps"] = [
      {
        id: "needs",
        strategy: "rule-filters",
        config: { rules: [{ when: { not: when }, variant: "off" }] },
        on_failure: "next",
      },
    ];
    expect(decide({ steps })).toMatchObject({ variant: "off", decision_source: "rule" });
  });

  test("is outranked by a rule before it", () => {
    const when = { attribute: "/plan", op: "in" as const, value: ["pro"] };
    const steps: FeatureWrite["steps"] = [
      { id: "rule", strategy: "rule-filters", config: { rules: [{ when, variant: "off" }] }, on_failure: "next" },
    ];
    expect(decide({ steps })).toMatchObject({ variant: "off", decision_source: "rule" });
  });
});
