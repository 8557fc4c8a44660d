import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Profile } from "../../../core/event/profile.ts";
import { Artifact } from "../../../core/model/artifact.ts";
import { calibrator } from "../../../core/model/calibration.ts";
import { createPredictor } from "../../../core/model/create-predictor.ts";
import { type RawColumn, valueAt } from "../../../core/model/dataset.ts";
import { rowEncoder } from "../../../core/model/encoding.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { createScorer } from "../../../core/model/score.ts";
import { thresholdAtProbability, thresholdAtShare } from "../../../core/model/threshold.ts";
import { train } from "../../../core/model/train.ts";
import { datasetOf, START, shop, trainOptions } from "./made-up-shop.ts";

const artifacts = (["logistic", "trees", "svm"] as const).map((learner) => ({
  learner,
  artifact: Artifact.parse(train(shop({ users: 800 }), trainOptions({ learner })).artifact),
}));

/** The long way, as training goes it: the raw row into a dataset, from there through the encoding into the predictor. */
function theLongWay(artifact: Artifact, user: Record<string, unknown>, profile: Profile, at: number) {
  const dataset = datasetOf([{ unit: "u", at, row: featureRow(user, profile, at), label: true }]);
  const columns = new Map<string, RawColumn>(dataset.columns.map((column) => [column.name, column]));
  // Types nobody in this dataset has are 0 where the profile is known: the zeros that training fills in.
  const zero = /^events\..*\.(count|per_day|value_sum)$/;
  const x = new Float64Array(artifact.encoding.columns.length);
  const values = artifact.encoding.features.map(({ name }) => {
    const column = columns.get(name);
    return column === undefined ? (zero.test(name) ? 0 : null) : valueAt(column, 0);
  });
  rowEncoder(artifact.encoding)(values, x, 0);
  const predictor = createPredictor(artifact.model);
  const raw = predictor.raw(x, 0, 0);
  return { raw, probability: calibrator(artifact.calibration)(raw), error: predictor.error(x, 0, raw, 0) };
}

const anyValue = fc.oneof(
  fc.constantFrom("free", "pro", "team", "unknown", "true", "", "constructor"),
  fc.integer({ min: -1000, max: 100_000 }),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.constant({ nested: 1 }),
  fc.string({ minLength: 90, maxLength: 120 }),
);
const anyUser = fc.record({
  user_id: fc.string(),
  plan: anyValue,
  mobile: anyValue,
  basket: anyValue,
  age: anyValue,
  code: anyValue,
  extra: anyValue,
});
const aggregate = fc
  .record({
    count: fc.integer({ min: 1, max: 10_000 }),
    ago: fc.integer({ min: -1000, max: 1e10 }),
    span: fc.integer({ min: 0, max: 1e10 }),
    value_sum: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  })
  .map(({ count, ago, span, value_sum }) => ({ count, first_at: START - ago - span, last_at: START - ago, value_sum }));
const anyProfile = fc.dictionary(fc.constantFrom("view", "buy", "toString", "other.type"), aggregate);

describe("createScorer()", () => {
  for (const { learner, artifact } of artifacts) {
    property.prop([anyUser, anyProfile], { numRuns: 300 })(
      `serves a ${learner} model as row, encoding and prediction do, whatever the user holds`,
      (user, profile) => {
        const long = theLongWay(artifact, user, profile, START);
        const score = createScorer(artifact).score(user, profile, START);
        expect(Number.isFinite(score.raw)).toBe(true);
        expect(Math.abs(score.raw - long.raw)).toBeLessThan(1e-12);
        expect(Math.abs(score.probability - long.probability)).toBeLessThan(1e-12);
        expect(Math.abs(score.error - long.error)).toBeLessThan(1e-12);
      },
    );
  }

  test("adds a logistic model's contributions up to its log odds", () => {
    const artifact = (artifacts[0] as (typeof artifacts)[0]).artifact;
    if (artifact.model.learner !== "logistic") throw new Error("Expected a logistic model");
    const scorer = createScorer(artifact);
    const { log_odds } = scorer.score({ plan: "pro", basket: 90, age: 40 }, {}, START);
    const { method, base, items } = scorer.contributions(1000);
    expect(method).toBe("exact");
    expect(base).toBe(artifact.model.intercept);
    expect(items.reduce((total, { contribution }) => total + contribution, base)).toBeCloseTo(log_odds, 10);
    expect(items.find(({ feature }) => feature === "attribute.plan")?.contribution).toBeGreaterThan(0);
  });

  test("adds path contributions of trees up to the log odds, and calls those of a machine approximate", () => {
    for (const [at, method] of [
      [1, "path"],
      [2, "approximate"],
    ] as const) {
      const scorer = createScorer((artifacts[at] as (typeof artifacts)[0]).artifact);
      const { log_odds } = scorer.score({ plan: "pro", basket: 90, age: 40 }, {}, START);
      const found = scorer.contributions(1000);
      expect(found.method).toBe(method);
      const sum = found.items.reduce((total, { contribution }) => total + contribution, found.base);
      if (method === "path") expect(sum).toBeCloseTo(log_odds, 9);
      expect(scorer.contributions(2).items).toEqual(found.items.slice(0, 2));
    }
  });

  test("notices a user without a single attribute the model knows", () => {
    const scorer = createScorer((artifacts[0] as (typeof artifacts)[0]).artifact);
    expect(scorer.uses_profile).toBe(true);
    expect(scorer.score({ user_id: "u", colour: "red" }, {}, START).blank).toBe(true);
    expect(scorer.score({ user_id: "u", plan: "pro" }, {}, START).blank).toBe(false);
  });

  test("learns nothing of a user from values of another type and levels it never saw", () => {
    const scorer = createScorer((artifacts[0] as (typeof artifacts)[0]).artifact);
    const blank = (user: Record<string, unknown>) => scorer.score({ user_id: "u", ...user }, {}, START).blank;
    expect(blank({ plan: "enterprise", age: "forty", basket: true })).toBe(true);
    expect(blank({ plan: "enterprise", age: 40 })).toBe(false);
    expect(blank({ plan: "free" })).toBe(false);
  });
});

describe("thresholdAtShare()", () => {
  test("lets the share of held-out users pass", () => {
    for (const { artifact } of artifacts) {
      const pass = (share: number) => {
        const { raw } = thresholdAtShare(artifact, share);
        return artifact.score_quantiles.filter((score) => score >= raw).length / artifact.score_quantiles.length;
      };
      for (const share of [0, 0.25, 0.5, 0.9, 1]) expect(Math.abs(pass(share) - share)).toBeLessThan(0.02);
    }
  });
});

describe("thresholdAtProbability()", () => {
  test("is the raw score from which the probability is reached", () => {
    for (const { artifact } of artifacts) {
      const { raw } = thresholdAtProbability(artifact, 0.4);
      const probabilityOf = calibrator(artifact.calibration);
      expect(probabilityOf(raw)).toBeCloseTo(0.4, 9);
    }
  });
});
