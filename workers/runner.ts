import { getLogger } from "@logtape/logtape";
import type { Clock } from "../core/ports.ts";
import type { Sql } from "../server/postgres/sql.ts";
import { TRAIN_MODEL } from "../server/postgres/training-queue.ts";
import { openQueueSession, type QueueSession } from "./queue-session.ts";
import { pause, repeat } from "./repeat.ts";
import { MAINTAIN_PARTITIONS, maintainPartitions } from "./tasks/maintain-partitions.ts";
import { recoverJobs } from "./tasks/recover-jobs.ts";
import { type TrainModelPorts, trainModel } from "./tasks/train-model.ts";

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly training: TrainModelPorts;
  /** Jobs at a time. Default 1: training is bound by the processor, and the server may share it. */
  readonly concurrency?: number;
  /** Stops the worker, as `stop` does. */
  readonly signal?: AbortSignal;
}

export interface Worker {
  /** Takes no more jobs and hands back the one it is at; within 5 seconds, also when the database is gone. */
  stop(): Promise<void>;
}

/** How often the jobs of lost workers are looked for, milliseconds. */
const RECOVER_INTERVAL = 2_000;
/** Between attempts to start again while the database is away, milliseconds. */
const [FIRST_BACKOFF, LONGEST_BACKOFF] = [250, 5_000];
const STOP_TIMEOUT = 4_500;

/**
 * Starts taking background jobs. When the database goes away it waits, and goes on by itself when it is back.
 *
 * @throws when the database cannot be reached at the start
 */
export async function startWorker({
  databaseUrl,
  sql,
  clock,
  training,
  concurrency = 1,
  signal,
}: WorkerOptions): Promise<Worker> {
  const log = getLogger(["adaptive", "worker"]);
  const stopping = new AbortController();
  const tasks = {
    [TRAIN_MODEL]: (payload: unknown) => trainModel(jobIdOf(payload), training, stopping.signal),
    [MAINTAIN_PARTITIONS]: () => maintainPartitions(sql, clock),
  };
  const open = () => openQueueSession({ databaseUrl, tasks, concurrency });

  let session: QueueSession = await open();
  const supervise = async () => {
    while (!stopping.signal.aborted) {
      await session.ended;
      if (!stopping.signal.aborted) log.warning("The worker lost its queue and starts again");
      for (let backoff = FIRST_BACKOFF; !stopping.signal.aborted; backoff = Math.min(backoff * 2, LONGEST_BACKOFF)) {
        await pause(backoff, stopping.signal);
        const opened = stopping.signal.aborted ? undefined : await open().catch(() => undefined);
        if (opened === undefined) continue;
        session = opened;
        break;
      }
    }
    await session.stop();
  };
  const recover = () =>
    recoverJobs(sql).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.warning("Lost jobs could not be looked for: {error}", { error: String(error) });
    });
  const idle = Promise.all([supervise(), repeat(RECOVER_INTERVAL, stopping.signal, recover)]);

  const stop = async () => {
    // First no new jobs, then the present one is told: what it hands back must not come to us again.
    const stopped = session.stop();
    stopping.abort();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_TIMEOUT);
    });
    await Promise.race([Promise.all([stopped, idle]), timeout]);
    clearTimeout(timer);
  };
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  signal?.addEventListener("abort", () => void stopOnce());
  if (signal?.aborted) await stopOnce();
  return { stop: stopOnce };
}

function jobIdOf(payload: unknown): string {
  if (typeof payload === "object" && payload !== null && "job_id" in payload && typeof payload.job_id === "string")
    return payload.job_id;
  throw new Error(`The queue's entry for ${TRAIN_MODEL} must be {"job_id": "..."}, not ${JSON.stringify(payload)}`);
}
