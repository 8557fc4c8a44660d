import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { libpqUrl } from "./libpq-url.ts";
import { TRAINING_CHANNEL } from "./training-queue.ts";

/** Proof that a worker is at work on a training job: held for as long as it beats, gone with the worker, however it ends. */
export interface RunLock {
  /** Aborts when the connection, and with it the lock, is lost. */
  readonly lost: AbortSignal;
  /**
   * Says how far the run is (0..1, and in words; undefined: no news) and learns what others decided about it meanwhile.
   * "gone": the job is no longer this attempt's.
   */
  beat(attempt: number, news: { progress: number; stage: string } | undefined): Promise<"go on" | "cancel" | "gone">;
  /** Gives the lock back. Never throws. */
  release(): Promise<void>;
}

/** A server that is only frozen for less keeps the lock, and the run goes on. Milliseconds. */
const ANSWER_TIMEOUT = 30_000;
const CONNECT_TIMEOUT = 5_000;
/**
 * A worker that vanished with its machine would hold the lock until TCP gives up, which takes hours: PostgreSQL ends a session
 * that has not beaten for so long. Many times the pause between two beats (workers/tasks/train-model.ts).
 */
const SILENT_S = 15;
/** How long an orderly end of the connection may take. */
const END_TIMEOUT = 2_000;

/** First key of the advisory lock: "these are training runs" among other users of advisory locks. The second is of the job. */
const RUNS = 0x61_66_66_31;

/**
 * Takes the job's lock on a connection of its own (by `pg`: postgres.js ends the process when a reserved connection is
 * used after its loss, docs/decisions/0051-lost-connections.md). undefined: another worker holds it.
 */
export async function takeRunLock(databaseUrl: string, jobId: string): Promise<RunLock | undefined> {
  const socket = new net.Socket();
  const client = new pg.Client({
    connectionString: libpqUrl(databaseUrl),
    application_name: "adaptive-feature-flags training run",
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: ANSWER_TIMEOUT,
    keepAlive: true,
    stream: () => socket,
  });
  const lost = new AbortController();
  client.on("error", (error) => lost.abort(error));
  client.on("end", () => lost.abort(new Error("The connection that held the training job's lock was closed")));
  await client.connect();
  const release = async () => {
    const late = new AbortController();
    await Promise.race([client.end(), pause(END_TIMEOUT, undefined, { signal: late.signal })]).catch(() => {});
    late.abort();
    socket.destroy();
  };
  try {
    await client.query(`set idle_session_timeout = '${SILENT_S}s'`);
    const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1, hashtext($2)) as taken", [
      RUNS,
      jobId,
    ]);
    if (rows[0]?.taken !== true) {
      await release();
      return undefined;
    }
  } catch (error) {
    await release();
    throw error;
  }

  return {
    lost: lost.signal,
    async beat(attempt, news) {
      const { rows } = news
        ? await client.query<{ cancel_requested: boolean }>(REPORT, [
            jobId,
            attempt,
            news.progress,
            news.stage,
            TRAINING_CHANNEL,
          ])
        : await client.query<{ cancel_requested: boolean }>(LOOK, [jobId, attempt]);
      if (rows[0] === undefined) return "gone";
      return rows[0].cancel_requested ? "cancel" : "go on";
    },
    release,
  };
}

const LOOK = `
  select cancel_requested from training_jobs where job_id = $1 and attempts = $2 and status = 'running'`;

const REPORT = `
  with reported as (
    update training_jobs set progress = $3, stage = case when cancel_requested then stage else $4 end
    where job_id = $1 and attempts = $2 and status = 'running'
    returning job_id, cancel_requested)
  select cancel_requested, pg_notify($5, job_id || ' running') from reported`;

/** SQL that is true while a worker holds the lock of the job whose id is in the column `job_id` of `table`. */
export function isRunLocked(table: string): string {
  return `exists (
    select from pg_locks
    where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())
      and classid = ${RUNS}::oid and objid = hashtext(${table}.job_id::text)::oid and objsubid = 2)`;
}
