export const metrics = {
  accuracy: 0.8929,
  roc_auc: 0.9365,
  log_loss: 0.3299,
  ece: 0.0839,
  best_threshold_by_f1: 0.7521,
};
export const benchmark = [
  { model_name: "logistic", status: "fitted", calibration: "none", accuracy: 0.8929, log_loss: 0.3299 },
];
export const dataset_profile = { rows: 703, train_rows: 453, test_rows: 140, window_seconds: 3600 };
export const process = { total_events: 2523, unique_users: 122, duration_ms: 2293, benchmark, dataset_profile };
export const job_id = "db2f4d2e-6acc-4b66-b158-cf11a69f379e";
export const trained_at = "2026-11-22T19:28:02.113Z";

export const trainRequest = { feature_key: "new-checkout", learner: "logistic", window_seconds: 3600 };

export const trained = {
  status: "ready",
  model_name: "logistic",
  model_version: "new-checkout@1",
  trained_at,
  artifact_path: "/models/new-checkout@1",
  metrics,
  process,
};

export const trainingJob = {
  job_id,
  status: "succeeded",
  feature_key: "new-checkout",
  reason: "request",
  progress: 1,
  stage: "done",
  submitted_at: "2026-11-22T19:27:59.788Z",
  started_at: "2026-11-22T19:27:59.818Z",
  finished_at: "2026-11-22T19:28:02.119Z",
  attempts: 1,
  error: null,
  result: trained,
};
