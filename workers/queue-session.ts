import net from "node:net";
import { getLogger } from "@logtape/logtape";
import { parseCronItems, run, type TaskList } from "graphile-worker";
import pg from "pg";
import { libpqUrl } from "../server/postgres/libpq-url.ts";
import { CHECK_MODELS } from "../server/postgres/model-checks.ts";
import { WORKER_NAME } from "../server/postgres/system-facts.ts";
import { MAINTAIN_PARTITIONS } from "./tasks/maintain-partitions.ts";
import { SCHEDULE_TRAINING } from "./tasks/schedule-training.ts";
import { workerLogger } from "./worker-logger.ts";

/** One life of graphile-worker, from its start until it is stopped or gives up because the database is gone. */
export interface QueueSession {
  /** Resolves when it takes no more jobs, whatever the reason. */
  readonly ended: Promise<void>;
  /** Gives its connections up, for a server that neither answers nor closes them: then it ends by itself. */
  cut(): void;
  /** Takes no new jobs, resolves when the running ones have ended. */
  stop(): Promise<void>;
}

/** Every day at 03:17 UTC, by one of the workers. */
const PARTITIONS_CRON = { task: MAINTAIN_PARTITIONS, match: "17 3 * * *", identifier: "daily-partitions" };
/** Every hour at 23 minutes past, one after the other. */
const CHECKS_CRON = {
  task: CHECK_MODELS,
  match: "23 * * * *",
  identifier: "hourly-model-checks",
  options: { maxAttempts: 3, queueName: CHECK_MODELS },
};
/** Every minute: whether a training is due. One that could not run for a while is made up for once. */
const TRAINING_CRON = {
  task: SCHEDULE_TRAINING,
  match: "* * * * *",
  identifier: "training-schedule",
  options: { maxAttempts: 1, jobKey: SCHEDULE_TRAINING },
};
/** Notifications bring jobs at once; this finds those whose notification was lost. Milliseconds. */
const POLL_INTERVAL = 1_000;

const CONNECT_TIMEOUT = 5_000;

/** @throws when the database cannot be reached */
export async function openQueueSession({
  databaseUrl,
  tasks,
  concurrency,
}: {
  databaseUrl: string;
  tasks: TaskList;
  concurrency: number;
}): Promise<QueueSession> {
  const sockets = new Set<net.Socket>();
  const openSocket = () => {
    const socket = new net.Socket();
    sockets.add(socket);
    return socket.once("close", () => sockets.delete(socket));
  };
  // One connection listens, the others look for jobs and end them; tasks have connections of their own.
  const pool = new pg.Pool({
    connectionString: libpqUrl(databaseUrl),
    max: concurrency + 2,
    application_name: WORKER_NAME,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    stream: openSocket,
  });
  const log = getLogger(["adaptive", "worker", "queue"]);
  const report = (error: Error) => log.debug("A connection of the worker was lost: {error}", { error: error.message });
  // Without these listeners a connection that is lost while idle, or while lent, would end the process.
  pool.on("error", report);
  pool.on("connect", (client) => client.on("error", report));
  const closePool = () => pool.end().catch(() => {});
  try {
    const runner = await run({
      pgPool: pool,
      taskList: tasks,
      parsedCronItems: parseCronItems([PARTITIONS_CRON, TRAINING_CRON, CHECKS_CRON]),
      concurrency,
      pollInterval: POLL_INTERVAL,
      noHandleSignals: true,
      logger: workerLogger(),
      // Without batches, an end that cannot be written is a rejected promise that nobody handles (worker.js, 0.18.0).
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
    const ended = runner.promise.catch(() => {}).finally(closePool);
    await runner.addJob(MAINTAIN_PARTITIONS, {}, { jobKey: MAINTAIN_PARTITIONS }).catch(report);
    return {
      ended,
      cut() {
        for (const socket of sockets) socket.destroy();
      },
      async stop() {
        await runner.stop().catch(() => {});
        await ended;
      },
    };
  } catch (error) {
    await closePool();
    throw error;
  }
}
