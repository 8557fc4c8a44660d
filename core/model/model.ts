import type { Json } from "../json.ts";

/** What a model may be trained with. `auto` fits every learner and keeps the best by validation log loss. */
export type Learner = "logistic" | "svm";

/** candidate: kept, not served. live: decides. retired: was live. failed: did not finish. */
export type ModelStatus = "candidate" | "live" | "retired" | "failed";

/** One trained version. Immutable but for its status. JSON, never code. */
export interface Model {
  /** `<feature key or "global">@<n>`, unique in its environment. */
  readonly version: string;
  readonly environment: string;
  /** null: the environment's global default. */
  readonly feature_key: string | null;
  readonly status: ModelStatus;
  readonly learner: Learner;
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
