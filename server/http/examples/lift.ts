export const lift = {
  feature_key: "new-checkout",
  from: "2026-11-22T19:28:02.113Z",
  to: "2026-12-22T19:28:02.113Z",
  window_seconds: 3600,
  grace_seconds: 0,
  event_types: ["addtocart"],
  direction: "increase",
  model: { users: 9500, mean: 0.118 },
  holdout: {
    users: 500,
    mean: 0.1,
    safe_half: { users: 248, mean: 0.097 },
    uniform_half: {
      users: 252,
      mean: 0.103,
      arms: [
        { variant: "on", users: 130, mean: 0.11 },
        { variant: "off", users: 122, mean: 0.096 },
      ],
    },
  },
  immature_users: 40,
  absolute_lift: 0.018,
  interval: [-0.009, 0.045],
  relative_lift: 0.18,
  relative_interval: [-0.08, 0.55],
  p_value: 0.19,
  sample_ratio: {
    p_value: 1,
    ok: true,
    message: "The groups have the sizes they should: 500 of 10000 users are held out, where the objective says 5 %.",
  },
  guardrails: [],
  decisions: {
    total: 12400,
    by_source: [
      { decision_source: "ml", decisions: 11000, share: 0.887 },
      { decision_source: "rollout", decisions: 1400, share: 0.113 },
    ],
    by_fallback_cause: [{ cause: "low_confidence", decisions: 1400, share: 0.113 }],
  },
  verdict: "no_evidence",
  message:
    "No evidence yet: 11.8 % of 9500 users against 10.0 % of 500 held out, a difference of 1.80 points (95 % interval -0.90 to 4.50).",
};
