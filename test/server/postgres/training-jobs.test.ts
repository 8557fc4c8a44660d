import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainingRequest } from "../../../core/ports.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { trainingJobStore } from "../../../server/postgres/training-jobs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const request = (feature_key: string | null): TrainingRequest => ({
  feature_key,
  learner: "auto",
  target: "auto",
  seed: 1,
  window_seconds: null,
  positive_event_types: null,
  cut: null,
});
const queue = (key: string) =>
  database.sql`select task_identifier, attempts from graphile_worker.jobs where key = ${key}`;

describe("enqueue()", () => {
  test("stores the job and its place in the queue together", async () => {
    const { job, shared } = await trainingJobStore(database.sql).enqueue("production", request("alpha"), "00-trace-01");
    expect(shared).toBe(false);
    expect(job).toMatchObject({ status: "queued", attempts: 0, traceparent: "00-trace-01", request: request("alpha") });
    expect(await queue("train:production:alpha")).toMatchObject([{ task_identifier: "train-model" }]);
  });

  test("shares the open job of a scope among requests that race, from different pools", async () => {
    const other = openSql(database.url);
    const stores = [trainingJobStore(database.sql), trainingJobStore(other)];
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, i) => stores[i % 2]?.enqueue("production", request(null), null)),
    );
    await other.end();
    expect(new Set(asked.map((answer) => answer?.job.job_id)).size).toBe(1);
    expect(asked.filter((answer) => answer?.shared === false)).toHaveLength(1);
    expect(await queue("train:production:")).toHaveLength(1);
  });

  test("does not share between features, nor with a job that has ended", async () => {
    const store = trainingJobStore(database.sql);
    const first = await store.enqueue("production", request("beta"), null);
    const other = await store.enqueue("production", request("gamma"), null);
    expect(other.shared).toBe(false);
    await store.cancel("production", first.job.job_id);
    const again = await store.enqueue("production", request("beta"), null);
    expect(again.shared).toBe(false);
    expect(again.job.job_id).not.toBe(first.job.job_id);
  });

  test("waits for the end of a job that is being cancelled instead of sharing it", async () => {
    const store = trainingJobStore(database.sql);
    const { job } = await store.enqueue("production", request("delta"), null);
    await database.sql`update training_jobs set status = 'running' where job_id = ${job.job_id}`;
    expect(await store.cancel("production", job.job_id)).toMatchObject({ status: "running", stage: "cancelling" });
    const asking = store.enqueue("production", request("delta"), null);
    await database.sql`
      with ended as (update training_jobs set status = 'cancelled' where job_id = ${job.job_id} returning job_id)
      select pg_notify('training_job', job_id || ' cancelled') from ended`;
    const next = await asking;
    expect(next.shared).toBe(false);
    expect(next.job.job_id).not.toBe(job.job_id);
  });
});

describe("get()", () => {
  test("knows no job of another environment, and none by a name that is no id", async () => {
    const store = trainingJobStore(database.sql);
    const { job } = await store.enqueue("production", request("epsilon"), null);
    expect(await store.get("production", job.job_id)).toEqual(job);
    expect(await store.get("staging", job.job_id)).toBeUndefined();
    expect(await store.get("production", "no-such-job")).toBeUndefined();
    expect(await store.cancel("production", "no-such-job")).toBeUndefined();
  });
});

describe("cancel()", () => {
  test("ends a queued job at once and takes it out of the queue", async () => {
    const store = trainingJobStore(database.sql);
    const { job } = await store.enqueue("production", request("zeta"), null);
    const cancelled = await store.cancel("production", job.job_id);
    expect(cancelled).toMatchObject({ status: "cancelled", finished_at: expect.any(String) });
    expect(await queue("train:production:zeta")).toHaveLength(0);
    expect(await store.cancel("production", job.job_id)).toEqual(cancelled);
  });
});

describe("wait()", () => {
  test("resolves with the ended job as soon as another process ends it", async () => {
    const store = trainingJobStore(database.sql);
    const { job } = await store.enqueue("production", request("eta"), null);
    const other = openSql(database.url);
    const waiting = store.wait("production", job.job_id, 20_000);
    await trainingJobStore(other).cancel("production", job.job_id);
    expect(await waiting).toMatchObject({ status: "cancelled" });
    await other.end();
  });

  test("resolves with the present state when the time is over, and on abort", async () => {
    const store = trainingJobStore(database.sql);
    const { job } = await store.enqueue("production", request("theta"), null);
    expect(await store.wait("production", job.job_id, 30)).toEqual(job);
    const abort = new AbortController();
    const waiting = store.wait("production", job.job_id, 60_000, abort.signal);
    abort.abort();
    expect(await waiting).toEqual(job);
    expect(await store.wait("production", "7a7e0f0a-0000-4000-8000-000000000000", 1000)).toBeUndefined();
  });
});
