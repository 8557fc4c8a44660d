/** What is written: the shorthand for a model step before a rollout. */
export const featureWrite = {
  key: "new-checkout",
  name: "New checkout",
  description: "One page instead of three",
  rollout_percentage: 30,
  ml_enabled: true,
  objective: { event_types: ["addtocart"] },
  tags: ["shop"],
};

const steps = [
  {
    id: "model",
    strategy: "ml-model",
    config: { mode: "propensity", threshold_mode: "fixed", threshold_value: 0.1, share: 0.3 },
    on_failure: "next",
  },
  {
    id: "rollout",
    strategy: "hash-bucketing",
    config: {
      unit: ["user_id"],
      bucketing: { algorithm: "murmur3-v1", seed: "new-checkout", buckets: 100000 },
      arms: [
        { variant: "on", weight: 30, ranges: [[0, 30000]] },
        { variant: "off", weight: 70, ranges: [[30000, 100000]] },
      ],
    },
    on_failure: "next",
  },
];
const { key, name, description, tags } = featureWrite;
const objective = {
  event_types: ["addtocart"],
  grace_seconds: 0,
  direction: "increase",
  value: null,
  guardrails: [],
  exploration: 0.1,
  holdout: 0.05,
  min_confidence: 0.9,
  margin: 0,
  max_age_seconds: 604800,
  cold_start: "uniform",
  cold_start_per_arm: 500,
  retrain: { on_drift: true },
  ramp: [0.1, 0.25, 0.5, 1],
  ramp_seconds: 86400,
};
const served = {
  ...{ type: "boolean", variants: { on: true, off: false }, off_variant: "off", steps, fallback_variant: "off" },
  ...{ objective, tags, owner: null, expires_at: null },
};
const dated = { version: 2, created_at: "2026-11-22T19:27:55.220Z", updated_at: "2026-11-22T19:27:55.452Z" };
const shorthand = { rollout_percentage: 30, ml_enabled: true, ml_threshold_mode: "fixed", ml_threshold_value: 0.1 };
const head = { id: 1, environment: "production", key, name, description, enabled: true };

export const feature = { ...head, ...shorthand, ...served, ...dated };

/** As the snapshot has it, without the shorthand. */
export const servedFeature = { ...head, ...served, ...dated };

export const revisions = {
  revisions: [
    {
      version: 2,
      actor: "ada",
      reason: "More users",
      at: "2026-11-22T19:27:55.453Z",
      definition: { key, name, description, enabled: true, ...served },
    },
  ],
};

export const segmentWrite = {
  key: "beta-testers",
  name: "Beta testers",
  condition: {
    any: [{ attribute: "/email", op: "ends_with", value: "@example.com" }, { gate: { percentage: 5 } }],
  },
};

export const segment = {
  environment: "production",
  key: "beta-testers",
  name: "Beta testers",
  condition: {
    any: [
      { attribute: "/email", op: "ends_with", value: "@example.com" },
      {
        gate: {
          percentage: 5,
          unit: ["user_id"],
          bucketing: { algorithm: "murmur3-v1", seed: "segment:beta-testers#gate", buckets: 100000 },
        },
      },
    ],
  },
  version: 1,
  created_at: "2026-11-22T19:27:55.591Z",
  updated_at: "2026-11-22T19:27:55.591Z",
};
