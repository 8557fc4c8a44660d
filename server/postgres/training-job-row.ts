import type { Json } from "../../core/json.ts";
import type { TrainingJob, TrainingRequest } from "../../core/ports.ts";

/** A row of training_jobs as postgres.js reads it. */
export interface TrainingJobRow {
  readonly job_id: string;
  readonly environment: string;
  readonly feature_key: string | null;
  readonly request: TrainingRequest;
  readonly reason: TrainingJob["reason"];
  readonly status: TrainingJob["status"];
  readonly progress: number;
  readonly stage: string;
  readonly cancel_requested: boolean;
  readonly attempts: number;
  readonly error: TrainingJob["error"];
  readonly result: Json | null;
  readonly traceparent: string | null;
  readonly submitted_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

export function trainingJob(row: TrainingJobRow): TrainingJob {
  return {
    job_id: row.job_id,
    environment: row.environment,
    request: row.request,
    reason: row.reason,
    status: row.status,
    progress: row.progress,
    stage: row.stage,
    submitted_at: row.submitted_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    attempts: row.attempts,
    error: row.error,
    result: row.result,
    traceparent: row.traceparent,
  };
}
