import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import type { Promotion, TrainedVersion, TrainingJob } from "../../core/ports.ts";
import { plain, texts } from "./array-literal.ts";
import { modelStore } from "./models.ts";
import { isRunLocked } from "./run-lock.ts";
import type { Sql, Transaction } from "./sql.ts";
import { type TrainingJobRow, trainingJob } from "./training-job-row.ts";
import { enqueueRun, notifyJob, queueKey } from "./training-queue.ts";
import { transaction } from "./transaction.ts";

/** How often a job may be begun before it is given up. */
const MAX_ATTEMPTS = 3;
/** A job that waits this long without a place in the queue has lost it. Seconds. */
const LOST_AFTER_SECONDS = 2;

/** A job that this worker runs. `attempts` tells the runs of a job apart: only the latest may end it. */
export type Run = Pick<TrainingJob, "job_id" | "environment" | "request" | "attempts" | "traceparent">;

/** Thrown when the job was taken from this run: what it made must not be stored. */
export class RunLost extends Error {
  override name = "RunLost";
}

/** Begins a queued job; undefined: it is not queued (any more). Only with its lock (run-lock.ts). */
export async function beginRun(sql: Sql, jobId: string): Promise<Run | undefined> {
  const [row] = await sql<TrainingJobRow[]>`
    with begun as (
      update training_jobs set
        status = 'running', attempts = attempts + 1, started_at = now(), progress = 0, stage = 'starting', error = null
      where job_id = ${jobId} and status = 'queued'
      returning *)
    select begun.*, pg_notify('training_job', job_id || ' running') from begun`;
  return row && trainingJob(row);
}

/**
 * Stores the model and ends the job with the contract's answer, in one transaction: there is no model without its job's
 * end, and no second model of the same job.
 *
 * @throws RunLost when the job is no longer this run's; nothing is stored then
 */
export async function completeRun(
  sql: Sql,
  run: Run,
  model: TrainedVersion,
  promote: Promotion,
  answer: (stored: Model) => Json,
): Promise<Model> {
  return transaction(sql, async (t) => {
    // First, so that whoever takes the job away waits for us, or we find it taken.
    await mine(t, run);
    const stored = await modelStore(t).save(run.environment, model, promote, run.request.author);
    await t`
      update training_jobs set
        status = 'succeeded', progress = 1, stage = 'done', finished_at = now(), result = ${t.json(answer(stored) as never)}
      where job_id = ${run.job_id}`;
    await notifyJob(t, run.job_id, "succeeded");
    return stored;
  });
}

/** Ends the job without a model. Does nothing when it is no longer this run's. */
export async function failRun(sql: Sql, run: Run, error: { code: string; message: string }): Promise<void> {
  await transaction(sql, (t) => end(t, run, "failed", error));
}

/** Ends the job as its owner wished. Does nothing when it is no longer this run's. */
export async function cancelRun(sql: Sql, run: Run): Promise<void> {
  await transaction(sql, (t) => end(t, run, "cancelled", null));
}

/** Back to the queue, at once, for another worker; does not count as an attempt. Give the lock back before. */
export async function handBackRun(sql: Sql, run: Run): Promise<void> {
  await transaction(sql, (t) =>
    requeue(t, run, { stage: "handed back by a worker that stopped", attempts: run.attempts - 1 }),
  );
}

/** Back to the queue after an unexpected error, later each time; the last attempt fails. Give the lock back before. */
export async function retryRun(sql: Sql, run: Run): Promise<"retried" | "failed"> {
  if (run.attempts >= MAX_ATTEMPTS) {
    const message = `Training was tried ${MAX_ATTEMPTS} times and stopped each time by an unexpected error; the worker's log has it`;
    await failRun(sql, run, { code: "training_failed", message });
    return "failed";
  }
  await transaction(sql, (t) => requeue(t, run, { stage: "waiting to try again", delaySeconds: run.attempts * 2 }));
  return "retried";
}

/**
 * Finds the jobs that no worker is at work on though they say so, and those that lost their place in the queue, and puts
 * them back: after a worker was killed, its jobs wait for seconds, not for the hours graphile-worker takes to release
 * them. Any number of workers may look at once. Returns the ids of the jobs it moved.
 */
export async function recoverRuns(sql: Sql): Promise<readonly string[]> {
  // Nearly always there are none: then no transaction is opened and nothing is locked.
  const candidates = await abandoned(sql, false);
  if (candidates.length === 0) return [];
  return transaction(sql, async (t) => {
    const rows = await abandoned(t, true);
    for (const row of rows) await recover(t, row);
    return rows.map((row) => row.job_id);
  });
}

function abandoned(sql: Sql | Transaction, lock: boolean): Promise<TrainingJobRow[]> {
  return sql<TrainingJobRow[]>`
    select j.* from training_jobs j
    where j.status in ('queued', 'running')
      and case j.status
        when 'running' then
          j.started_at < now() - interval '1 second' and not ${sql.unsafe(isRunLocked("j"))}
        else
          j.submitted_at < now() - ${LOST_AFTER_SECONDS} * interval '1 second' and not exists (
            select from graphile_worker.jobs q
            where q.key = 'train:' || j.environment || ':' || coalesce(j.feature_key, '')
              and q.attempts < q.max_attempts + (q.locked_at is not null)::integer
              and (q.locked_at is null or q.locked_at > now() - ${LOST_AFTER_SECONDS} * interval '1 second'))
      end
    order by j.submitted_at
    ${lock ? sql`for update of j skip locked` : sql``}`;
}

async function recover(t: Transaction, row: TrainingJobRow): Promise<void> {
  const held = await t<{ id: number; locked_by: string }[]>`
    select id, locked_by from graphile_worker.jobs where key = ${queueKey(row)} and locked_by is not null`;
  if (row.cancel_requested) await end(t, row, "cancelled", null);
  else if (row.status === "running" && row.attempts >= MAX_ATTEMPTS) {
    const message = `Training was begun ${MAX_ATTEMPTS} times and each time its worker disappeared: it may need more memory than the workers have`;
    await end(t, row, "failed", { code: "worker_lost", message });
  } else await requeue(t, row, { stage: "waiting for another worker" });
  await forget(t, held);
}

/**
 * The queue's entries of a worker that is gone: by now without their key, but still locked. Should that worker be alive
 * after all, it loses nothing: what it runs of ours is guarded by the run's lock and attempt.
 */
async function forget(t: Transaction, held: readonly { id: number; locked_by: string }[]): Promise<void> {
  if (held.length === 0) return;
  await t`select graphile_worker.force_unlock_workers(${texts(held.map((entry) => entry.locked_by))}::text::text[])`;
  await t`select graphile_worker.complete_jobs(${plain(held.map((entry) => entry.id))}::text::bigint[])`;
}

async function mine(t: Transaction, { job_id, attempts }: Pick<Run, "job_id" | "attempts">): Promise<void> {
  const found = await t`
    select from training_jobs where job_id = ${job_id} and attempts = ${attempts} and status = 'running' for update`;
  if (found.length === 0)
    throw new RunLost(
      `Training job ${job_id} was taken from its attempt ${attempts}, or had ended: nothing was stored`,
    );
}

async function end(
  t: Transaction,
  { job_id, attempts }: Pick<Run, "job_id" | "attempts">,
  status: "failed" | "cancelled",
  error: TrainingJob["error"],
): Promise<void> {
  const ended = await t`
    update training_jobs set
      status = ${status}, stage = ${status}, finished_at = now(), error = ${error && t.json(error)}
    where job_id = ${job_id} and attempts = ${attempts} and status in ('queued', 'running')
    returning job_id`;
  if (ended.length > 0) await notifyJob(t, job_id, status);
}

async function requeue(
  t: Transaction,
  { job_id, attempts }: Pick<Run, "job_id" | "attempts">,
  {
    stage,
    delaySeconds = 0,
    attempts: counted = attempts,
  }: { stage: string; delaySeconds?: number; attempts?: number },
): Promise<void> {
  const [row] = await t<TrainingJobRow[]>`
    update training_jobs set status = 'queued', progress = 0, stage = ${stage}, attempts = ${counted}
    where job_id = ${job_id} and attempts = ${attempts} and status in ('queued', 'running') and not cancel_requested
    returning *`;
  if (row !== undefined) {
    await enqueueRun(t, row, delaySeconds);
    await notifyJob(t, job_id, "queued");
  }
}
