import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { type Database, openDatabase } from "../../server/postgres/embedded.ts";
import { migrate } from "../../server/postgres/migrate.ts";
import { openSql, type Sql } from "../../server/postgres/sql.ts";
import { trainingJobStore } from "../../server/postgres/training-jobs.ts";
import { startWorker, type Worker } from "../../workers/runner.ts";
import type { TrainModelPorts } from "../../workers/tasks/train-model.ts";
import { learnForEver, storeVisits, trainingPorts } from "./support/training-ports.ts";

const PATIENCE = { timeout: 25_000, interval: 50 };
const REQUEST = {
  feature_key: null,
  learner: "logistic",
  target: "auto",
  seed: 1,
  window_seconds: 60,
  // Whichever feature they are of.
  positive_event_types: ["buy"],
  cut: null,
} as const;

let directory: string;
let server: Database;
let worker: Worker | undefined;
let pools: Sql[] = [];

async function startDatabase(port?: string): Promise<Database> {
  return openDatabase({ dataDir: directory, settings: { fsync: "off", ...(port === undefined ? {} : { port }) } });
}
function open(): Sql {
  const sql = openSql(server.url);
  pools.push(sql);
  return sql;
}

afterEach(async () => {
  await worker?.stop();
  await Promise.all(pools.map((sql) => sql.end({ timeout: 0 })));
  await server.stop();
  await rm(directory, { recursive: true, force: true });
  [worker, pools] = [undefined, []];
});

// An exception or rejection that nobody handles would end a real process; vitest fails the run on it.
test("a worker outlives its database, in the middle of a training too, and goes on when it is back", {
  timeout: 150_000,
}, async () => {
  directory = await mkdtemp(join(tmpdir(), "aff-outage-"));
  server = await startDatabase();
  await migrate(server.url);
  const { port } = new URL(server.url);
  const sql = open();
  let first = true;
  await storeVisits(sql);
  const ports = trainingPorts({ url: server.url, sql });
  const learn: TrainModelPorts["learn"] = (run, control) => {
    const chosen = first ? learnForEver : ports.learn;
    first = false;
    return chosen(run, control);
  };
  const training = { ...ports, learn };
  worker = await startWorker({ databaseUrl: server.url, sql, clock: training.clock, training });
  const { job } = await trainingJobStore(sql).enqueue("production", REQUEST, null);
  await vi.waitFor(
    async () =>
      expect(await trainingJobStore(sql).get("production", job.job_id)).toMatchObject({ stage: "fitting for ever" }),
    PATIENCE,
  );

  await server.stop();
  server = await startDatabase(port);
  expect(new URL(server.url).port).toBe(port);

  const jobs = trainingJobStore(open());
  expect(await jobs.wait("production", job.job_id, 60_000)).toMatchObject({ status: "succeeded", attempts: 2 });
  const next = await jobs.enqueue("production", { ...REQUEST, feature_key: "later" }, null);
  expect(await jobs.wait("production", next.job.job_id, 50_000)).toMatchObject({ status: "succeeded", attempts: 1 });
  const [count] = await open()`select count(*) as models from models`;
  expect(count).toEqual({ models: 2 });
});
