import type { Sql, Transaction } from "./sql.ts";

/** graphile-worker's name of the task (workers/tasks/train-model.ts). */
export const TRAIN_MODEL = "train-model";

/** Notified with `<job_id> <status>` whenever a training job's row changes. */
export const TRAINING_CHANNEL = "training_job";

/** What of a job its place in the queue depends on. */
interface Queued {
  readonly job_id: string;
  readonly environment: string;
  readonly feature_key: string | null;
}

/**
 * Puts the job into the queue, or again. One key a scope: a job that a worker holds under the same key loses the key and
 * is never retried, a waiting one is replaced. Part of the caller's transaction: nobody sees the one without the other.
 */
export async function enqueueRun(transaction: Transaction, job: Queued, delaySeconds = 0): Promise<void> {
  await transaction`
    select graphile_worker.add_job(
      ${TRAIN_MODEL},
      json_build_object('job_id', ${job.job_id}::text),
      job_key => ${queueKey(job)},
      max_attempts => 3,
      run_at => now() + ${delaySeconds}::double precision * interval '1 second')`;
}

/** Takes the job out of the queue; one that a worker holds is not retried. */
export async function dequeueRun(transaction: Transaction, job: Queued): Promise<void> {
  await transaction`select graphile_worker.remove_job(${queueKey(job)})`;
}

/** Tells waiting requests, at the commit. */
export async function notifyJob(sql: Sql | Transaction, jobId: string, status: string): Promise<void> {
  await sql`select pg_notify(${TRAINING_CHANNEL}, ${`${jobId} ${status}`})`;
}

export function queueKey({ environment, feature_key }: Pick<Queued, "environment" | "feature_key">): string {
  return `train:${environment}:${feature_key ?? ""}`;
}
