import { benchmark, dataset_profile, job_id, metrics, process, trained_at } from "./training.ts";

const named = {
  feature_key: "new-checkout",
  model_name: "logistic",
  model_version: "new-checkout@1",
  trained_at,
  metrics,
};
const verdict = "Live: on 140 held-out decisions its log loss is 0.330 against 0.692 for the base rate.";
const health = { health: "fresh", health_detail: null, traffic: 1 };

export const model = {
  ...named,
  ...health,
  status: "live",
  target: "propensity",
  ramped_at: trained_at,
  health_cause: null,
  checked_at: null,
  shadow: null,
  process,
  benchmark,
  dataset_profile,
  threshold: 0.7521,
  fallback_policy: "the feature's next step, else its fallback variant",
  verdict,
  seed: 1,
  hash: "40d58468ec496f8c4d739c25dec073393818e50c4507fb02d5a77aefe12ed0b4",
  job_id,
};

export const modelStatus = { status: "ready", scope: "feature", ...named, ...health, verdict, challenger: null };

export const modelCheck = {
  version: "new-checkout@1",
  at: "2026-11-22T20:28:02.113Z",
  health: "warning",
  detail: "The input /plan is no longer distributed as in training: PSI 0.21 over 900 users, above 0.1",
  report: { psi: [{ name: "/plan", psi: 0.21, rows: 900 }], age_seconds: 3600 },
};
