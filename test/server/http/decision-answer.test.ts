import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../core/decision/decision.ts";
import type { Snapshot } from "../../../core/engine/snapshot.ts";
import { decisionAnswer, decisionText } from "../../../server/http/decision-answer.ts";
import { createObserver } from "../../../server/observer.ts";
import { createMetrics } from "../../../server/telemetry/metrics.ts";

const snapshot = { features: new Map() } as unknown as Snapshot;

/** `decisionText` as the routes use it: with what the observer says of the decision. */
function writer(): (decision: Decision) => { text: string; id: string } {
  const observer = createObserver({ exposures: { append: async (all) => all.length }, metrics: createMetrics() });
  return (decision) => {
    const about = { environment: "production", user: {}, profile: undefined, snapshot, at: 0 };
    const observed = observer.decided(decision, about);
    return { text: decisionText(decision, observed), id: observed.id };
  };
}

function expectWhole(write: ReturnType<typeof writer>, decision: Decision): void {
  const { text, id } = write(decision);
  expect(text).toBe(JSON.stringify(decisionAnswer(decision, id)));
}

const few = <T>(...values: T[]) => fc.constantFrom(...values);
const share = fc.option(few(0.25, 0.5, 1, 1e-7));

/** Few values of each, so that many decisions are of one kind and differ in one field. */
const anyDecision: fc.Arbitrary<Decision> = fc.record({
  feature_key: few("checkout", "search"),
  user_id: fc.option(fc.oneof(few("ada", 'a "quoted"\n\\ one'), fc.string({ unit: "binary" }))),
  enabled: fc.boolean(),
  variant: few(null, "on", "off"),
  value: few<Decision["value"]>(true, false, null, "text", { nested: ["ö", 1] }),
  decision_source: few("rollout", "ml"),
  reason: few<Decision["reason"]>("SPLIT", "STALE"),
  step: few(null, "rollout", 'odd "step"'),
  score: share,
  threshold: share,
  threshold_mode: few(null, "absolute"),
  confidence: share,
  probability: share,
  model_version: few(null, "checkout@1"),
  bucket: fc.option(fc.nat(99_999)),
  fallback: few<Decision["fallback"]>(null, { from: "model", cause: "no_model" }),
  experiment: few<Decision["experiment"]>(null, { experiment_id: 1, experiment_name: "x", variant: "A" }),
  feature_version: few(null, 1, 2),
});

describe("decisionText()", () => {
  test.prop([fc.array(anyDecision, { minLength: 1, maxLength: 60 })], { numRuns: 300 })(
    "says what decisionAnswer says, whatever was written before",
    (decisions) => {
      const write = writer();
      for (const decision of decisions) expectWhole(write, decision);
    },
  );

  const plain: Decision = {
    ...{ feature_key: "checkout", user_id: "ada", enabled: true, variant: "on", value: true },
    ...{ decision_source: "rollout", reason: "SPLIT", step: "rollout", score: null, threshold: null },
    ...{ threshold_mode: null, confidence: null, probability: 0.25, model_version: null, bucket: 7 },
    ...{ fallback: null, experiment: null, feature_version: 1 },
  };

  it("writes the trace of the one decision that has it", () => {
    const write = writer();
    const traced = { ...plain, trace: { steps: [{ id: "rollout", strategy: "x", outcome: "decided" as const }] } };
    for (const decision of [traced, plain, traced, { ...plain, user_id: "bob" }]) expectWhole(write, decision);
  });

  it("follows a feature that is deleted and made again under the same key and version", () => {
    const write = writer();
    for (const value of [true, "text", { colour: "red" }, { colour: "blue" }])
      expectWhole(write, { ...plain, value, enabled: value === true });
  });
});
