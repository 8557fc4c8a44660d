import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { purchases } from "./purchases.ts";

let server: TestServer;
let worker: Worker;
beforeAll(async () => {
  server = await startTestServer();
  const { sql, services, database } = server;
  const { clock, config } = services;
  const training = trainingPorts({ databaseUrl: database.url, sql, clock, settings: config });
  worker = await startWorker({ databaseUrl: database.url, sql, clock, training });
  await server.client.createFeature({ name: "Checkout", key: "checkout", ml_enabled: true, rollout_percentage: 50 });
});
afterAll(async () => {
  await worker.stop();
  await server.close();
});

const options = { feature_key: "checkout", learner: "logistic", window_seconds: 3600 } as const;

describe("the contract's training", () => {
  test("POST /train with no events is 422 with a stable code; the status stays not_trained", async () => {
    const { status, body } = await server.call("POST", "/train", {});
    expect([status, body.detail.code]).toEqual([422, "no_events"]);
    expect((await server.client.modelStatus()).status).toBe("not_trained");
  });

  test("POST /train refuses what it does not know", async () => {
    expect(await server.call("POST", "/train", { feature_key: "nothing" })).toMatchObject({
      status: 404,
      body: { detail: { code: "not_found" } },
    });
    for (const [field, value] of [
      ["learner", "oracle"],
      ["seed", -1],
      ["window_seconds", 0],
      ["positive_event_types", []],
      ["cut", "yesterday"],
      ["epochs", 3],
    ] as const)
      expect(await server.call("POST", "/train", { [field]: value })).toMatchObject({
        status: 422,
        body: { detail: { field } },
      });
  });

  test("POST /train waits and answers the contract's fields", async () => {
    for (const events of purchases("checkout")) await server.client.ingest("test", events);
    const { status, body } = await server.call("POST", "/train", options);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "ready",
      model_name: expect.any(String),
      model_version: expect.any(String),
      trained_at: expect.any(String),
      artifact_path: `/models/${body.model_version}`,
    });
    for (const name of ["accuracy", "precision", "recall", "f1_score", "roc_auc", "best_threshold_by_f1"])
      expect([name, body.metrics[name]]).toEqual([name, expect.any(Number)]);
    const matrix = body.metrics.confusion_matrix;
    for (const name of ["true_negative", "false_positive", "false_negative", "true_positive"])
      expect([name, matrix[name]]).toEqual([name, expect.any(Number)]);
    for (const name of ["total_events", "unique_users", "positive_events", "duration_ms"])
      expect([name, body.process[name]]).toEqual([name, expect.any(Number)]);
    expect(body.process.feature_columns).toEqual(expect.arrayContaining([expect.any(String)]));
    expect(body.process.benchmark[0]).toMatchObject({ model_name: expect.any(String), f1_score: expect.any(Number) });
    const { rows, train_rows, test_rows, positive_rate, class_distribution } = body.process.dataset_profile;
    for (const count of [rows, train_rows, test_rows]) expect(count).toBeGreaterThan(0);
    expect(positive_rate).toBeGreaterThan(0);
    expect(class_distribution).toEqual(expect.any(Object));
  }, 60_000);

  test("GET /model/status and /model/runs show it, and its artifact is where it says", async () => {
    const status = await server.client.modelStatus("checkout");
    expect(status).toMatchObject({ status: "ready", scope: "feature", model_version: "checkout@1" });
    expect(Object.keys(status)).toEqual(
      expect.arrayContaining(["status", "model_name", "model_version", "trained_at", "metrics"]),
    );
    const [run] = await server.client.modelRuns({ limit: 1 });
    expect(run).toMatchObject({ model_version: "checkout@1", status: "live" });
    for (const field of ["metrics", "benchmark", "dataset_profile", "threshold", "fallback_policy"] as const)
      expect([field, run?.[field]]).not.toEqual([field, null]);
    const artifact = await server.call("GET", "/models/checkout@1");
    expect(artifact).toMatchObject({
      status: 200,
      body: { model_version: "checkout@1", artifact: expect.any(Object) },
    });
    expect((await server.call("GET", "/models/checkout@9")).status).toBe(404);
  });

  test("a feature without a model of its own has the global one, and says so", async () => {
    await server.client.createFeature({ name: "Other", key: "other" });
    expect(await server.client.modelStatus("other")).toMatchObject({ status: "not_trained", scope: null });
    await server.client.train({ learner: "logistic", window_seconds: 3600 });
    expect(await server.client.modelStatus("other")).toMatchObject({ status: "ready", scope: "global" });
  }, 60_000);

  test("POST /train/async is 202 and its job goes to succeeded with the same answer", async () => {
    const queued = await server.call("POST", "/train/async", { ...options, seed: 7 });
    expect(queued.status).toBe(202);
    expect(queued.body).toMatchObject({
      job_id: expect.any(String),
      status: "queued",
      submitted_at: expect.any(String),
    });
    const job = await vi.waitFor(
      async () => {
        const { body } = await server.call("GET", `/train/jobs/${queued.body.job_id}`);
        expect(body.status).toBe("succeeded");
        return body;
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(job).toMatchObject({ progress: 1, error: null, result: { status: "ready", model_version: "checkout@2" } });
  }, 60_000);

  test("POST /models/{version}/rollback makes an earlier version live by one call, and the next decision names it", async () => {
    const before = (await server.client.modelStatus("checkout")).model_version;
    const earlier = before === "checkout@1" ? "checkout@2" : "checkout@1";
    const back = await server.call("POST", `/models/${earlier}/rollback`, { reason: "It was better" });
    expect(back).toMatchObject({ status: 200, body: { model_version: earlier, status: "live" } });
    expect(back.body).not.toHaveProperty("artifact");
    expect((await server.client.modelStatus("checkout")).model_version).toBe(earlier);
    // In the trace, for a busy machine may read the profile too late for the model to decide.
    const { trace } = await server.client.evaluate("checkout", { user_id: "user-0" }, { explain: true });
    expect(trace?.steps[0]).toMatchObject({ id: "model", evidence: { model_version: earlier } });
    expect((await server.call("POST", "/models/checkout@9/rollback")).status).toBe(404);
  });
});
