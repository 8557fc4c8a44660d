export const newExperiment = {
  name: "New checkout or old",
  feature_key: "new-checkout",
  primary_metric_event: "addtocart",
  min_samples_per_variant: 1000,
  min_lift: 0.01,
  enabled: false,
};

export const experiment = {
  ...{ id: 1, environment: "production", ...newExperiment, alpha: 0.05 },
  arms: [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "on", weight: 50 },
  ],
  seed: "experiment-1",
  created_at: "2026-11-22T19:27:56.544Z",
  ended_at: null,
};

export const experimentResult = {
  experiment_id: 1,
  experiment_name: "New checkout or old",
  feature_key: "new-checkout",
  primary_metric_event: "addtocart",
  variant_stats: { A: { samples: 1040, positives: 104 }, B: { samples: 1010, positives: 152 } },
  rate_a: 0.1,
  rate_b: 0.1505,
  lift_b_vs_a: 0.0505,
  min_lift: 0.01,
  min_samples_per_variant: 1000,
  decision: "stop_promote_b",
  message:
    'Arm B ("on") is better than A: B converts 5.05 percentage points more than A (95 % interval of the difference 2.18 to 7.91).',
  days_left: null,
  probability_best: { A: 0.0003, B: 0.9997 },
  comparisons: [
    {
      arm: "B",
      variant: "on",
      rate: 0.1505,
      absolute_lift: 0.0505,
      interval: [0.0218, 0.0791],
      standard_error: 0.0146,
      p_value: 0.0005,
      relative_lift: 0.505,
      relative_interval: [0.19, 0.89],
      confidence_level: 0.95,
      verdict: "better",
    },
  ],
  sample_ratio: {
    p_value: 0.51,
    ok: true,
    message: "The exposed users fit the weights (A 1040, B 1010 for A 50 %, B 50 %).",
  },
};
