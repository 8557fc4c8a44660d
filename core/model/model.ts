import type { Json } from "../json.ts";

/** What a model may be trained with. `auto` fits every learner and keeps the best by validation log loss (choose-learner.ts) */
export type Learner = "logistic" | "trees" | "svm" | "ridge";

/** propensity: P(objective | user), held against a threshold. uplift: the variant with the best estimated effect is served. */
export type ModelTarget = "propensity" | "uplift";

/** candidate: kept, not served. live: decides. retired: was live. failed: did not finish. */
export type ModelStatus = "candidate" | "live" | "retired" | "failed";

/** One trained version. Immutable but for its status. JSON, never code. */
export interface Model extends ModelState {
  /** `<feature key or "global">@<n>`, unique in its environment. */
  readonly version: string;
  readonly environment: string;
  /** null: the environment's global default. */
  readonly feature_key: string | null;
  readonly status: ModelStatus;
  readonly learner: Learner;
  readonly target: ModelTarget;
  readonly trained_at: string;
  /** Everything needed to score: encoding, coefficients, calibration, thresholds (see core/model/artifact.ts). */
  readonly artifact: Json;
  /** sha256 of the canonical artifact, hex. */
  readonly hash: string;
  readonly seed: number;
  readonly metrics: Json;
  /** The contract's `process`: totals, duration, columns, benchmark, dataset profile, data window. */
  readonly process: Json;
  /** In words: why it is live, or why it is only a candidate. */
  readonly verdict: string;
  readonly job_id: string | null;
}

/** fresh: decides. warning: decides, and people should look. stopped: its steps abstain with its `health_cause`. */
export type ModelHealth = "fresh" | "warning" | "stopped";

/** stale: too old, of another feature schema, or of too little evidence. drifted: it no longer fits what it is asked about. */
export type StopCause = "stale_model" | "drifted_model";

/** What changes of a version after it was trained. */
export interface ModelState {
  /** Share of the model's users it decides for, 0..1: 1 when live, between 0 and 1 while it takes over from the live one. */
  readonly traffic: number;
  /** Since when it has this traffic, ISO; null: never had any. */
  readonly ramped_at: string | null;
  readonly health: ModelHealth;
  /** In words; null while nothing was found. */
  readonly health_detail: string | null;
  /** null unless it is stopped. */
  readonly health_cause: StopCause | null;
  /** When it was last checked, ISO. */
  readonly checked_at: string | null;
  /** How a candidate would have done on the live model's decisions; null until it was scored. */
  readonly shadow: Json;
}
