import type { Json } from "../../core/json.ts";
import { ARTIFACT_FORMAT, type Artifact } from "../../core/model/artifact.ts";
import { FEATURE_SCHEMA } from "../../core/model/feature-row.ts";
import type { Model } from "../../core/model/model.ts";
import { seededRandom } from "../../core/model/random.ts";
import { newRidge, updateRidge } from "../../core/model/ridge.ts";

export const BANDIT_ARMS = ["off", "blue", "green"] as const;
export const TRAINED = Date.UTC(2026, 10, 22);

/** What the made-up users do: green is best for the young, blue for the old, off for nobody. */
const RATES = { off: [0.1, 0.1], blue: [0.1, 0.25], green: [0.25, 0.15] } as const;

export interface BanditOptions {
  readonly outcomes?: number;
  readonly learner?: "ridge" | "logistic";
  readonly changes?: Partial<Model>;
}

/** A live model of one column, `attribute.age` (-1 young, 1 old), that has seen so many outcomes of random arms. */
export function makeBandit({ outcomes = 6000, learner = "ridge", changes = {} }: BanditOptions = {}): Model {
  const state = newRidge(1, BANDIT_ARMS.length);
  const random = seededRandom(3);
  for (let i = 0; i < outcomes; i++) {
    const arm = i % BANDIT_ARMS.length;
    const old = random() < 0.5;
    const rate = RATES[BANDIT_ARMS[arm] as "off"][old ? 1 : 0];
    updateRidge(state, Float64Array.of(old ? 1 : -1), 0, arm, random() < rate ? 1 : 0);
  }
  const artifact: Artifact = {
    format: ARTIFACT_FORMAT,
    feature_schema: FEATURE_SCHEMA,
    encoding: {
      columns: [{ name: "attribute.age", mean: 0, sd: 1 }],
      features: [
        {
          kind: "number",
          name: "attribute.age",
          log_scale: null,
          low: -1,
          high: 1,
          value: 0,
          missing: null,
          quantiles: [-1, 1],
          missing_share: 0,
        },
      ],
      blank_attributes: false,
    },
    target: "uplift",
    arms: [...BANDIT_ARMS],
    value_cap: null,
    model: learner === "ridge" ? state : LOGISTIC,
    calibration: { method: "none" },
    best_threshold_by_f1: 0.2,
    score_quantiles: [0, 1],
  };
  return {
    version: "offer@1",
    environment: "production",
    feature_key: "offer",
    status: "live",
    learner,
    target: "uplift",
    trained_at: new Date(TRAINED).toISOString(),
    artifact: artifact as unknown as Json,
    hash: "0",
    seed: 1,
    metrics: {},
    process: { dataset_profile: { rows: outcomes } },
    verdict: "",
    job_id: null,
    traffic: 1,
    ramped_at: null,
    health: "fresh",
    health_detail: null,
    health_cause: null,
    checked_at: null,
    shadow: null,
    ...changes,
  };
}

/** Log odds of 0.1, 0.25 (old) and 0.25 (young), about. */
const LOGISTIC: Artifact["model"] = {
  learner: "logistic",
  arms: 3,
  interactions: [0],
  coefficients: [0, 0.55, 0.55, 0.75, -0.32],
  intercept: -2.2,
  l2: 1,
  l2_interactions: 1,
  covariance: Array.from({ length: 6 }, (_, i) => Array.from({ length: i + 1 }, (_, j) => (i === j ? 0.01 : 0))).flat(),
};
