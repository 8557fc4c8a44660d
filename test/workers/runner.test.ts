import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Invalid, type TrainingJob, type TrainingJobStore, type TrainingRequest } from "../../core/ports.ts";
import { modelStore } from "../../server/postgres/models.ts";
import { openSql } from "../../server/postgres/sql.ts";
import { trainingJobStore } from "../../server/postgres/training-jobs.ts";
import type { Learned } from "../../workers/learn.ts";
import { startWorker, type Worker } from "../../workers/runner.ts";
import type { TrainModelPorts } from "../../workers/tasks/train-model.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { learnForEver, storeVisits, trainingPorts, VISITS } from "./support/training-ports.ts";

const PATIENCE = { timeout: 20_000, interval: 25 };

let database: TestDatabase;
let jobs: TrainingJobStore;
let workers: Worker[] = [];
let processes: ChildProcess[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  await storeVisits(database.sql);
  jobs = trainingJobStore(database.sql);
});
afterEach(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await Promise.all(workers.map((worker) => worker.stop()));
  [workers, processes] = [[], []];
  await database.close();
});

const request = (feature_key: string | null = null): TrainingRequest => ({
  feature_key,
  learner: "logistic",
  target: "auto",
  seed: 1,
  window_seconds: 60,
  // Of whichever feature: no feature of these tests has events of its own.
  positive_event_types: ["buy"],
  cut: null,
});

async function work(replaced: Partial<TrainModelPorts> = {}): Promise<Worker> {
  const training = trainingPorts(database, replaced);
  const worker = await startWorker({ databaseUrl: database.url, sql: database.sql, clock: training.clock, training });
  workers.push(worker);
  return worker;
}

async function workElsewhere(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("./support/endless-worker.ts", import.meta.url));
  const child = spawn(process.execPath, [script, database.url], { stdio: ["ignore", "pipe", "inherit"] });
  processes.push(child);
  await once(child.stdout, "data");
  return child;
}

async function ask(feature_key: string | null = null): Promise<TrainingJob> {
  return (await jobs.enqueue("production", request(feature_key), null)).job;
}
/** Trainings run below the priority of all else: on a busy machine they take long. */
const ended = (job: TrainingJob) => jobs.wait("production", job.job_id, 50_000);
const see = (job: TrainingJob, state: Partial<TrainingJob>) =>
  vi.waitFor(async () => expect(await jobs.get("production", job.job_id)).toMatchObject(state), PATIENCE);
const models = () => database.sql`select version, status, job_id from models`;
const queued = () =>
  database.sql`select key, locked_by from graphile_worker.jobs where task_identifier = 'train-model'`;
/** graphile-worker removes an entry just after its task has ended. */
const emptyQueue = () => vi.waitFor(async () => expect(await queued()).toEqual([]), PATIENCE);

describe("startWorker()", () => {
  test("trains a queued job, and ends it together with its model", async () => {
    await work();
    const job = await ended(await ask());
    expect(job).toMatchObject({ status: "succeeded", progress: 1, attempts: 1, error: null });
    expect(job?.result).toMatchObject({
      status: "ready",
      model_name: "logistic",
      model_version: "global@1",
      artifact_path: "/models/global@1",
      promoted: true,
      verdict: expect.stringContaining("Live"),
      metrics: { roc_auc: expect.any(Number), confusion_matrix: expect.any(Object) },
      process: { duration_ms: expect.any(Number), total_events: VISITS.events, dataset_profile: { rows: VISITS.rows } },
    });
    expect(await models()).toEqual([{ version: "global@1", status: "live", job_id: job?.job_id }]);
    expect((await modelStore(database.sql).live("production", null))?.version).toBe("global@1");
    await emptyQueue();
  });

  test("works on the jobs of several features one after the other", async () => {
    await work();
    const asked = await Promise.all([ask("a"), ask("b"), ask("c")]);
    const results = await Promise.all(asked.map(ended));
    expect(results.map((job) => job?.status)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect((await models()).map(({ version }) => version).sort()).toEqual(["a@1", "b@1", "c@1"]);
  });

  test("shows progress in words while a job runs, and cancels it without a model", async () => {
    await work({ learn: learnForEver });
    const job = await ask();
    await see(job, { status: "running", stage: "fitting for ever", progress: 0.5, attempts: 1 });
    expect(await jobs.cancel("production", job.job_id)).toMatchObject({ status: "running", stage: "cancelling" });
    expect(await ended(job)).toMatchObject({ status: "cancelled", result: null, error: null });
    expect(await models()).toEqual([]);
    await emptyQueue();
  });

  test("fails a job whose data does not suffice, keeps the live model and does not try again", async () => {
    const learn: TrainModelPorts["learn"] = () => {
      throw new Invalid("insufficient_data", "Cannot train on 3 events");
    };
    const first = await work();
    await ended(await ask());
    await first.stop();
    await work({ learn });
    expect(await ended(await ask())).toMatchObject({
      status: "failed",
      attempts: 1,
      error: { code: "insufficient_data", message: "Cannot train on 3 events" },
    });
    expect(await models()).toMatchObject([{ version: "global@1", status: "live" }]);
    await emptyQueue();
  });

  test("tries again after an unexpected error", async () => {
    let attempts = 0;
    const ports = trainingPorts(database);
    const learn: TrainModelPorts["learn"] = (run, control) => {
      if (++attempts === 1) throw new Error("connection to 10.0.0.7 refused, password=hunter2");
      return ports.learn(run, control);
    };
    await work({ learn });
    const job = await ask();
    await see(job, { status: "queued", attempts: 1, stage: "waiting to try again" });
    expect(await ended(job)).toMatchObject({ status: "succeeded", attempts: 2 });
  });

  test("gives up after the third unexpected error, without telling its insides", async () => {
    const learn: TrainModelPorts["learn"] = () => {
      throw new Error("connection to 10.0.0.7 refused, password=hunter2");
    };
    const job = await ask();
    await database.sql`update training_jobs set attempts = 2 where job_id = ${job.job_id}`;
    await work({ learn });
    const failed = await ended(job);
    expect(failed).toMatchObject({ status: "failed", error: { code: "training_failed" } });
    expect(JSON.stringify(failed)).not.toContain("hunter2");
  });

  test("makes the coming months' partitions when it starts", async () => {
    await work();
    const month = new Date().toISOString().slice(0, 7).replace("-", "_");
    await vi.waitFor(async () => {
      const [found] = await database.sql`select to_regclass(${`events_${month}`}) is not null as there`;
      expect(found?.there).toBe(true);
    }, PATIENCE);
  });
});

describe("a worker that goes away", () => {
  test("when it is killed while training, another one finishes the job: one model, nothing stuck", async () => {
    const child = await workElsewhere();
    const job = await ask();
    await see(job, { status: "running", stage: "fitting for ever" });
    child.kill("SIGKILL");
    await once(child, "exit");
    await work();
    expect(await ended(job)).toMatchObject({ status: "succeeded", attempts: 2 });
    expect(await models()).toHaveLength(1);
    await emptyQueue();
  });

  test("when it is stopped while training, it hands the job back and another one resumes at once", async () => {
    const child = await workElsewhere();
    const job = await ask();
    await see(job, { status: "running", stage: "fitting for ever" });
    await work();
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect(await ended(job)).toMatchObject({ status: "succeeded", attempts: 1 });
    expect(await models()).toHaveLength(1);
    await emptyQueue();
  });

  test("when it was killed three times, the job is given up", async () => {
    const child = await workElsewhere();
    const job = await ask();
    await see(job, { status: "running" });
    child.kill("SIGKILL");
    await once(child, "exit");
    await database.sql`update training_jobs set attempts = 3 where job_id = ${job.job_id}`;
    await work();
    expect(await ended(job)).toMatchObject({ status: "failed", error: { code: "worker_lost" } });
    expect(await models()).toEqual([]);
    await emptyQueue();
  });

  test("when it is killed after the job was cancelled, the job ends as cancelled", async () => {
    const child = await workElsewhere();
    const job = await ask();
    await see(job, { status: "running" });
    child.kill("SIGSTOP");
    await jobs.cancel("production", job.job_id);
    child.kill("SIGKILL");
    await once(child, "exit");
    await work();
    expect(await ended(job)).toMatchObject({ status: "cancelled" });
    await emptyQueue();
  });

  test("when it loses the job it cannot store a model any more", async () => {
    let finish: (() => void) | undefined;
    const ports = trainingPorts(database);
    const learn: TrainModelPorts["learn"] = (run, control) => {
      const { read, model } = ports.learn(run, control);
      // Ends like a thread that was done at the moment its run was taken away.
      const late = async (trained: Learned) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return trained;
      };
      return { read, model: model.then(late) };
    };
    const own = openSql(database.url);
    const training = trainingPorts({ url: database.url, sql: own }, { learn });
    const worker = await startWorker({ databaseUrl: database.url, sql: own, clock: training.clock, training });
    workers.push(worker);
    const job = await ask();
    await vi.waitFor(() => expect(finish).toBeDefined(), PATIENCE);
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'adaptive-feature-flags training run' and datname = current_database()`;
    await see(job, { status: "queued" });
    finish?.();
    await worker.stop();
    expect(await models()).toEqual([]);
    await work();
    expect(await ended(job)).toMatchObject({ status: "succeeded" });
    expect(await models()).toHaveLength(1);
    await own.end();
  });
});

describe("several workers", () => {
  test("never train one job twice", async () => {
    const learned: string[] = [];
    const ports = trainingPorts(database);
    const learn: TrainModelPorts["learn"] = (run, control) => {
      learned.push(run.job_id);
      return ports.learn(run, control);
    };
    await Promise.all([work({ learn }), work({ learn }), work({ learn })]);
    const asked = await Promise.all(["a", "b", "a", "b", null, null].map(ask));
    const results = await Promise.all(asked.map(ended));
    expect(results.every((job) => job?.status === "succeeded")).toBe(true);
    expect(learned).toHaveLength(3);
    expect(await models()).toHaveLength(3);
  });
});
