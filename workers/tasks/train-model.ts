import { getLogger } from "@logtape/logtape";
import { type Clock, Invalid } from "../../core/ports.ts";
import { type RunLock, takeRunLock } from "../../server/postgres/run-lock.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import {
  beginRun,
  cancelRun,
  completeRun,
  failRun,
  handBackRun,
  type Run,
  RunLost,
  retryRun,
} from "../../server/postgres/training-runs.ts";
import type { ExposuresUsed } from "../../server/postgres/uplift-data.ts";
import type { Metrics } from "../../server/services.ts";
import { childSpan, jobSpan } from "../../server/telemetry/job-spans.ts";
import { recordingSpan } from "../../server/telemetry/tracing.ts";
import type { Learned, Learning, OnProgress } from "../learn.ts";
import { trainAnswer } from "./train-answer.ts";

export interface TrainModelPorts {
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly clock: Clock;
  /** Told how each job ended. Default: nobody. */
  readonly metrics?: Pick<Metrics, "count">;
  /** Reads and fits off the event loop (workers/learn.ts). Rejects with Invalid when the data cannot be learned from. */
  readonly learn: (run: Run, control: { signal: AbortSignal; onProgress: OnProgress }) => Learning;
}

/** Between two looks at what others decided about the job, and two reports of its progress. Milliseconds. */
const BEAT = 300;

/**
 * Runs one training job from its beginning to one of its ends. Never throws for what happened to the training: the job
 * says that. A second run of a job that has ended, or that another worker is at, does nothing.
 *
 * @param signal stops the run: the job goes back to the queue for another worker
 * @throws when the database cannot be reached before the run begins: the queue tries again. Later, the loss of the
 * connection frees the lock, and another worker takes the job over (recover-jobs.ts).
 */
export async function trainModel(jobId: string, ports: TrainModelPorts, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Error("This worker is stopping: the job waits for another one");
  const lock = await takeRunLock(ports.databaseUrl, jobId);
  if (lock === undefined) return;
  try {
    const run = await beginRun(ports.sql, jobId);
    if (run === undefined) return;
    const attributes = { "adaptive.job.id": jobId, "adaptive.job.attempt": run.attempts };
    const failed = () => {}; // the job's row has it, and so has the span
    const { traceparent } = run;
    await jobSpan("train-model", { traceparent, attributes }, () => attempt(run, lock, ports, signal)).catch(failed);
  } finally {
    await lock.release();
  }
}

/** Why a run is cut short. */
type Cut = "cancelled" | "stopping" | "lost";

async function attempt(run: Run, lock: RunLock, ports: TrainModelPorts, signal: AbortSignal): Promise<void> {
  const began = ports.clock.now();
  const cut = new AbortController();
  const cutShort = (why: Cut) => cut.abort(why);
  const stop = () => cutShort("stopping");
  const lose = () => cutShort("lost");
  signal.addEventListener("abort", stop);
  lock.lost.addEventListener("abort", lose);
  if (signal.aborted) stop();
  const pulse = startPulse(run, lock, cutShort);
  try {
    const learning = ports.learn(run, { signal: cut.signal, onProgress: pulse.report });
    const { rows } = await childSpan("read", {}, () => learning.read);
    const trained = await childSpan("fit", { "adaptive.dataset.rows": rows }, () => learning.model);
    cut.signal.throwIfAborted();
    await pulse.stop();
    await childSpan("save", {}, () => save(run, trained, ports, began));
    ended(ports, "succeeded");
  } catch (error) {
    await pulse.stop();
    const why = cut.signal.aborted ? (cut.signal.reason as Cut) : undefined;
    await conclude(run, lock, ports, error, why).catch((unwritten: unknown) =>
      getLogger(["adaptive", "worker"]).warning("The end of training job {job} could not be written: {error}", {
        job: run.job_id,
        error: String(unwritten),
      }),
    );
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    lock.lost.removeEventListener("abort", lose);
  }
}

async function save(run: Run, trained: Learned, { sql, clock }: TrainModelPorts, began: number): Promise<void> {
  const { promote, ...fitted } = trained;
  const now = clock.now();
  const model = {
    ...fitted,
    process: { ...fitted.process, job_id: run.job_id, duration_ms: now - began },
    feature_key: run.request.feature_key,
    trained_at: new Date(now).toISOString(),
    job_id: run.job_id,
  };
  const stored = await completeRun(sql, run, model, promote, trainAnswer);
  recordingSpan()?.setAttributes({
    "adaptive.model.version": stored.version,
    "adaptive.model.status": stored.status,
    "adaptive.model.traffic": stored.traffic,
    "adaptive.model.verdict": stored.verdict,
    ...exposuresOf(fitted),
  });
}

/** Which exposures it was learned from: how many, the first and the last. Nothing of a model that is of no exposures. */
function exposuresOf({ process }: Pick<Learned, "process">): Readonly<Record<string, string | number>> {
  const { used, first_at, last_at } = (process.exposures ?? {}) as Partial<ExposuresUsed>;
  if (used === undefined || first_at == null || last_at == null) return {};
  return {
    "adaptive.exposures.used": used,
    "adaptive.exposures.first": first_at,
    "adaptive.exposures.until": last_at,
  };
}

function ended({ metrics }: TrainModelPorts, status: "succeeded" | "failed" | "cancelled"): void {
  metrics?.count("training_jobs_total", { status });
}

/** Writes how a run without a model ended. */
async function conclude(
  run: Run,
  lock: RunLock,
  ports: TrainModelPorts,
  error: unknown,
  cut: Cut | undefined,
): Promise<void> {
  const { sql } = ports;
  const log = getLogger(["adaptive", "worker"]);
  if (cut === "lost" || error instanceof RunLost) {
    log.warning("Training job {job} was taken from this worker", { job: run.job_id });
  } else if (cut === "cancelled") {
    await cancelRun(sql, run);
    ended(ports, "cancelled");
  } else if (cut === "stopping") {
    // The lock first: whoever takes the job from the queue finds it free.
    await lock.release();
    await handBackRun(sql, run);
  } else if (error instanceof Invalid) {
    await failRun(sql, run, { code: error.code, message: error.message });
    ended(ports, "failed");
  } else {
    await lock.release();
    const outcome = await retryRun(sql, run);
    if (outcome === "failed") ended(ports, "failed");
    log.error("Training job {job} stopped in attempt {attempt} and is {outcome}: {error}", {
      job: run.job_id,
      attempt: run.attempts,
      outcome,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** Writes progress now and then, and cuts the run short when the job was cancelled or taken away. */
function startPulse(run: Run, lock: RunLock, cut: (why: Cut) => void): { report: OnProgress; stop(): Promise<void> } {
  let news: { progress: number; stage: string } | undefined;
  let beating: Promise<void> = Promise.resolve();
  const beat = async () => {
    const told = news;
    news = undefined;
    try {
      const found = await lock.beat(run.attempts, told);
      if (found === "cancel") cut("cancelled");
      if (found === "gone") cut("lost");
    } catch {
      cut("lost"); // the connection that proves we are alive does not answer
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    timer = setTimeout(() => {
      beating = beat().then(() => {
        if (timer !== undefined) next();
      });
    }, BEAT);
  };
  next();
  return {
    report: (progress, stage) => {
      news = { progress: Math.min(Math.max(progress, 0), 1), stage };
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
      return beating;
    },
  };
}
