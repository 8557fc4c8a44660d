import { Conflict, type TrainingJob, type TrainingJobStore } from "../../core/ports.ts";
import type { Sql } from "./sql.ts";
import { jobEndings } from "./training-job-endings.ts";
import { type TrainingJobRow, trainingJob } from "./training-job-row.ts";
import { dequeueRun, enqueueRun, notifyJob } from "./training-queue.ts";
import { transaction } from "./transaction.ts";

/** How long a new request waits for a job of the same scope that is being cancelled, milliseconds. */
const CANCELLING_PATIENCE = 5_000;
/** Notifications wake whoever waits; this only covers the lost ones. Milliseconds. */
const SAFETY_POLL = 2_000;

/** Training jobs as the ones who ask for them see them; the worker's side is in training-runs.ts. */
export function trainingJobStore(sql: Sql): TrainingJobStore {
  const endings = jobEndings(sql);

  const read = async (environment: string, jobId: string): Promise<TrainingJobRow | undefined> => {
    if (!UUID.test(jobId)) return undefined;
    const [row] = await sql<TrainingJobRow[]>`
      select * from training_jobs where environment = ${environment} and job_id = ${jobId}`;
    return row;
  };

  const store: TrainingJobStore = {
    async enqueue(environment, request, traceparent, reason = "request") {
      const deadline = performance.now() + CANCELLING_PATIENCE;
      for (;;) {
        const found = await insertOrShare(sql, environment, request, traceparent, reason);
        // The job that was in the way ended between the two statements: the next round inserts.
        if (found === undefined) continue;
        const { row, shared } = found;
        if (!row.cancel_requested) return { job: trainingJob(row), shared };
        const left = deadline - performance.now();
        if (left <= 0)
          throw new Conflict(
            `Training job ${row.job_id} of the same feature is still being cancelled: wait until it has ended and ask again`,
          );
        await store.wait(environment, row.job_id, left);
      }
    },

    async get(environment, jobId) {
      const row = await read(environment, jobId);
      return row && trainingJob(row);
    },

    async list(environment, { limit, feature_key }) {
      const ofScope = feature_key === undefined ? sql`` : sql`and feature_key is not distinct from ${feature_key}`;
      const rows = await sql<TrainingJobRow[]>`
        select * from training_jobs where environment = ${environment} ${ofScope}
        order by submitted_at desc, job_id limit ${limit}`;
      return rows.map(trainingJob);
    },

    async wait(environment, jobId, timeoutMs, signal) {
      const deadline = performance.now() + timeoutMs;
      const watch = endings.watch(jobId);
      try {
        let job = await store.get(environment, jobId);
        while (job !== undefined && !hasEnded(job)) {
          const left = deadline - performance.now();
          if (left <= 0 || signal?.aborted) break;
          await watch.next(Math.min(left, SAFETY_POLL), signal);
          // The database may be away for a moment: what was known stays the answer until it is back.
          job = await store.get(environment, jobId).catch(() => job);
        }
        return job;
      } finally {
        watch.close();
      }
    },

    async cancel(environment, jobId) {
      if (!UUID.test(jobId)) return undefined;
      await transaction(sql, async (t) => {
        const [row] = await t<TrainingJobRow[]>`
          update training_jobs set
            cancel_requested = true,
            status = case status when 'queued' then 'cancelled' else status end,
            stage = case status when 'queued' then 'cancelled' else 'cancelling' end,
            finished_at = case status when 'queued' then now() end
          where environment = ${environment} and job_id = ${jobId} and status in ('queued', 'running')
          returning *`;
        if (row === undefined) return;
        if (row.status === "cancelled") await dequeueRun(t, row);
        await notifyJob(t, row.job_id, row.status);
      });
      return store.get(environment, jobId);
    },
  };
  return store;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function hasEnded(job: TrainingJob): boolean {
  return job.status !== "queued" && job.status !== "running";
}

/** undefined: an open job was in the way of the insert and had ended before it could be read. */
function insertOrShare(
  sql: Sql,
  environment: string,
  request: TrainingJob["request"],
  traceparent: string | null,
  reason: TrainingJob["reason"],
): Promise<{ row: TrainingJobRow; shared: boolean } | undefined> {
  return transaction(sql, async (t) => {
    const [made] = await t<TrainingJobRow[]>`
      insert into training_jobs (environment, feature_key, request, traceparent, reason)
      values (${environment}, ${request.feature_key}, ${JSON.stringify(request)}::text::jsonb, ${traceparent}, ${reason})
      on conflict (environment, coalesce(feature_key, '')) where status in ('queued', 'running') do nothing
      returning *`;
    if (made !== undefined) {
      await enqueueRun(t, made);
      return { row: made, shared: false };
    }
    const [open] = await t<TrainingJobRow[]>`
      select * from training_jobs
      where environment = ${environment} and coalesce(feature_key, '') = ${request.feature_key ?? ""}
        and status in ('queued', 'running')`;
    return open && { row: open, shared: true };
  });
}
