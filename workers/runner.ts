import { getLogger } from "@logtape/logtape";
import type { Clock } from "../core/ports.ts";
import { builtIn } from "../plugins/built-in.ts";
import { CHECK_MODELS } from "../server/postgres/model-checks.ts";
import { onConnectionsDropped, type Sql } from "../server/postgres/sql.ts";
import { TRAIN_MODEL } from "../server/postgres/training-queue.ts";
import { jobSpan } from "../server/telemetry/job-spans.ts";
import { openQueueSession, type QueueSession } from "./queue-session.ts";
import { pause, repeat } from "./repeat.ts";
import { type CheckModelsOptions, type CheckModelsPorts, checkModels } from "./tasks/check-models.ts";
import { MAINTAIN_PARTITIONS, maintainPartitions } from "./tasks/maintain-partitions.ts";
import { recoverJobs } from "./tasks/recover-jobs.ts";
import { SCHEDULE_TRAINING, scheduleTraining } from "./tasks/schedule-training.ts";
import { type TrainModelPorts, trainModel } from "./tasks/train-model.ts";
import { updateBandits } from "./tasks/update-bandits.ts";

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly training: TrainModelPorts;
  /** What counts as success where an objective does not say. Default: nothing does. */
  readonly positive_event_types?: readonly string[];
  /** By which checks re-decide. Default: the built-in ones. */
  readonly strategies?: CheckModelsPorts["strategies"];
  /** Told of every check. Default: nobody. */
  readonly metrics?: CheckModelsPorts["metrics"];
  /** Jobs at a time. Default 1: training is bound by the processor, and the server may share it. */
  readonly concurrency?: number;
  /** Stops the worker, as `stop` does. */
  readonly signal?: AbortSignal;
}

export interface Worker {
  /** Takes no more jobs and hands back the one it is at; within 5 seconds, also when the database is gone. */
  stop(): Promise<void>;
}

/** How often bandits are taught what has matured, milliseconds. */
const BANDIT_INTERVAL = 2_000;
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
  strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy])),
  metrics,
  positive_event_types = [],
  concurrency = 1,
  signal,
}: WorkerOptions): Promise<Worker> {
  const log = getLogger(["adaptive", "worker"]);
  const stopping = new AbortController();
  const tasks = {
    [TRAIN_MODEL]: (payload: unknown) => trainModel(jobIdOf(payload), training, stopping.signal),
    [CHECK_MODELS]: (payload: unknown) =>
      checkModels({ sql, clock, strategies, metrics }, { only: checkedModel(payload), signal: stopping.signal }),
    [SCHEDULE_TRAINING]: () =>
      jobSpan(SCHEDULE_TRAINING, { traceparent: null }, () => scheduleTraining({ sql, clock, strategies })),
    [MAINTAIN_PARTITIONS]: () =>
      jobSpan(MAINTAIN_PARTITIONS, { traceparent: null }, () => maintainPartitions(sql, clock)),
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
  const endHints = onConnectionsDropped(sql, () => session.cut());
  const recover = () =>
    recoverJobs(sql).catch((error: unknown) => {
      if (!stopping.signal.aborted) log.warning("Lost jobs could not be looked for: {error}", { error: String(error) });
    });
  const teach = () =>
    updateBandits({ sql, clock, positive_event_types }).then(
      () => {},
      (error: unknown) => {
        if (!stopping.signal.aborted) log.warning("Bandits could not be taught: {error}", { error: String(error) });
      },
    );
  const idle = Promise.all([
    supervise(),
    repeat(RECOVER_INTERVAL, stopping.signal, recover),
    repeat(BANDIT_INTERVAL, stopping.signal, teach),
  ]);

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
    endHints();
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

/** One model when the job names it, else all. */
function checkedModel(payload: unknown): CheckModelsOptions["only"] {
  const { environment, version, traceparent } = (payload ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof environment !== "string" || typeof version !== "string") return undefined;
  return { environment, version, traceparent: typeof traceparent === "string" ? traceparent : null };
}

function jobIdOf(payload: unknown): string {
  if (typeof payload === "object" && payload !== null && "job_id" in payload && typeof payload.job_id === "string")
    return payload.job_id;
  throw new Error(`The queue's entry for ${TRAIN_MODEL} must be {"job_id": "..."}, not ${JSON.stringify(payload)}`);
}
