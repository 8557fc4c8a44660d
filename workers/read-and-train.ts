/** What the thread of `learn` does once it has stepped back (see learn-thread.ts). */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import type { Dataset } from "../core/model/dataset.ts";
import { train } from "../core/model/train.ts";
import { Invalid } from "../core/ports.ts";
import { featureStore } from "../server/postgres/features.ts";
import { openSql, type Sql } from "../server/postgres/sql.ts";
import { readDataset } from "../server/postgres/training-data.ts";
import type { LearnReport, Lesson } from "./learn.ts";

/** Reading the data is this share of the progress, fitting the rest. */
const READ_SHARE = 0.25;

const lesson = workerData as Lesson;
const report = (message: LearnReport) => parentPort?.postMessage(message);

try {
  const dataset = await read(lesson);
  report({ kind: "read", rows: dataset.rows });
  const { learner, seed } = lesson.request;
  const model = train(dataset, {
    learner,
    seed,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
    onProgress: (done, stage) => report({ kind: "progress", progress: READ_SHARE + done * (1 - READ_SHARE), stage }),
  });
  report({ kind: "done", model });
} catch (error) {
  if (error instanceof Invalid)
    report({ kind: "invalid", code: error.code, message: error.message, field: error.field });
  else if (error instanceof Error) report({ kind: "failed", message: error.message, stack: error.stack });
  else report({ kind: "failed", message: String(error), stack: undefined });
}

async function read({ databaseUrl, environment, request, defaults }: Lesson): Promise<Dataset> {
  const sql = openSql(databaseUrl, { max: 1 });
  try {
    await noticeOurEnd(sql);
    const key = request.feature_key;
    const objective = key === null ? null : (await featureStore(sql).get(environment, key))?.objective;
    return await readDataset(sql, environment, request, { ...defaults, objective }, (done, stage) =>
      report({ kind: "progress", progress: done * READ_SHARE, stage }),
    );
  } finally {
    // Not needed while fitting, which may take minutes.
    await sql.end({ timeout: 1 });
  }
}

/**
 * This thread may be ended at any moment. Without this PostgreSQL would look for its client only when a query, which may
 * be sorting millions of events, has something to send. Servers on other systems may refuse the setting.
 */
async function noticeOurEnd(sql: Sql): Promise<void> {
  await sql`select set_config('client_connection_check_interval', '1s', false) where version() like '%linux%'`;
}
