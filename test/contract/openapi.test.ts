import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { type DocumentedApi, documentedApi } from "../support/documented-api.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { purchases } from "./purchases.ts";

/** Every documented route answers its happy path with what its document says, and nothing that it does not say. */
let server: TestServer;
let worker: Worker;
let api: DocumentedApi;
const called = new Set<string>();

beforeAll(async () => {
  server = await startTestServer();
  const { sql, services, database } = server;
  const { clock, config } = services;
  const training = trainingPorts({ databaseUrl: database.url, sql, clock, settings: config });
  worker = await startWorker({ databaseUrl: database.url, sql, clock, training });
  api = documentedApi((await server.call("GET", "/openapi.json")).body);
});
afterAll(async () => {
  await worker.stop();
  await server.close();
});

/** Calls a documented route and holds the answer against what is documented for its status. */
async function call(name: string, status: number, path: string, body?: unknown, headers?: Record<string, string>) {
  called.add(name);
  const operation = api.find(name);
  const answer = await server.call(operation.method, path, body, headers);
  expect([name, answer.status, answer.status === status ? "" : answer.body]).toEqual([name, status, ""]);
  expect([name, ...api.misfitsOf(operation, answer)]).toEqual([name]);
  return answer;
}

const feature = { name: "Checkout", key: "checkout", rollout_percentage: 30, ml_enabled: true };
const event = { user_id: "u", feature_key: "checkout", event_type: "view", timestamp: "2026-01-01T00:00:00Z" };

describe("the documented answers", () => {
  test("of features and segments", async () => {
    await call("POST /features", 201, "/features", feature);
    await call("GET /features", 200, "/features");
    await call("GET /features/{feature}", 200, "/features/checkout");
    await call("PUT /features/{feature}", 200, "/features/checkout", {
      ...feature,
      objective: { event_types: ["addtocart"] },
    });
    await call("GET /features/{feature}/revisions", 200, "/features/checkout/revisions");
    await call("POST /features/{feature}/preview", 200, "/features/checkout/preview", feature);
    await call("GET /strategies", 200, "/strategies");
    const segment = { key: "beta", name: "Beta", condition: { gate: { percentage: 5 } } };
    await call("POST /segments", 201, "/segments", segment);
    await call("GET /segments", 200, "/segments");
    await call("GET /segments/{segment}", 200, "/segments/beta");
    await call("PUT /segments/{segment}", 200, "/segments/beta", segment);
    await call("DELETE /segments/{segment}", 204, "/segments/beta");
    await call("POST /features/{feature}/replay", 200, "/features/checkout/replay", { policy: { always: "on" } });
    await call("POST /features", 201, "/features", { name: "Gone", key: "gone" });
    await call("DELETE /features/{feature}", 204, "/features/gone");
  });

  test("of decisions, explained or not, and of failures", async () => {
    const user = { user_id: "u", plan: "pro" };
    await call("POST /evaluate", 200, "/evaluate", { feature_key: "checkout", user });
    await call("POST /evaluate", 200, "/evaluate", { feature_key: "nothing", user });
    await call("POST /evaluate", 200, "/evaluate", { feature_key: "checkout", user, explain: true });
    await call("POST /evaluate", 422, "/evaluate", { feature_key: "checkout", user: {} });
    await call("POST /evaluate", 400, "/evaluate", "{");
    await call("POST /evaluate/batch", 200, "/evaluate/batch", { user, explain: true });
    await server.services.observer.flush();
    await call("GET /decisions", 200, "/decisions?feature_key=checkout");
    await call("GET /decisions/summary", 200, "/decisions/summary");
  });

  test("of those who decide for themselves", async () => {
    const { headers, body } = await call("GET /snapshot", 200, "/snapshot");
    await call("GET /snapshot", 304, "/snapshot", undefined, { "If-None-Match": headers.get("etag") ?? "" });
    const { feature_key, feature_version, variant, enabled, decision_source, reason, step } =
      await server.client.evaluate("checkout", { user_id: "u" });
    const decided = { feature_key, feature_version, variant, enabled, decision_source, reason, step };
    const figures = { score: null, threshold: null, confidence: null, probability: null, model_version: null };
    const exposure = {
      ...{ ...decided, ...figures, decision_id: "0123456789abcdef-1", at: new Date().toISOString(), user_id: "u" },
      ...{ fallback: null, experiment: null, features: null, probabilities: null },
    };
    expect(body.features.map(({ key }: { key: string }) => key)).toContain("checkout");
    await call("POST /exposures", 201, "/exposures", { exposures: [exposure, {}] });
  });

  test("of OFREP", async () => {
    const one = "POST /ofrep/v1/evaluate/flags/{key}";
    const all = "POST /ofrep/v1/evaluate/flags";
    const context = { targetingKey: "u", plan: "pro" };
    await call(one, 200, "/ofrep/v1/evaluate/flags/checkout", { context });
    await call(one, 400, "/ofrep/v1/evaluate/flags/checkout", { context: {} });
    await call(one, 404, "/ofrep/v1/evaluate/flags/nothing", { context });
    const { headers, body } = await call(all, 200, "/ofrep/v1/evaluate/flags", { context });
    await call(all, 200, "/ofrep/v1/evaluate/flags");
    await call(all, 304, "/ofrep/v1/evaluate/flags", { context }, { "If-None-Match": headers.get("etag") ?? "" });
    await call(all, 400, "/ofrep/v1/evaluate/flags", "{");
    // A stream has no end to wait for; what is said on it: test/server/http/ofrep/streams.test.ts.
    const address: string = body.eventStreams[0].endpoint.requestUri;
    await call("GET /ofrep/v1/streams/{environment}", 403, address.replace("signature=", "signature=not"));
  });

  test("of events", async () => {
    await call("POST /events", 201, "/events", event);
    await call("POST /events", 201, "/events", { ...event, event_id: "once" });
    await call("POST /events", 200, "/events", { ...event, event_id: "once" });
    await call("POST /ingest/events", 201, "/ingest/events", { source: "test", events: [event, {}] });
    await call("GET /events", 200, "/events");
    await call("GET /users/{user_id}", 200, "/users/u");
  });

  test.each(["/decisions/stream", "/changes"])("of the stream %s", async (path) => {
    called.add(`GET ${path}`);
    const response = await fetch(server.url + path);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    await response.body?.cancel();
  });

  test("of an import", async () => {
    const operation = "POST /simulate";
    called.add(operation);
    const form = new FormData();
    const csv = "timestamp,visitorid,event,itemid,transactionid\n1433221332117,1,view,355908,\n";
    form.set("csv_file", new Blob([csv]), "events.csv");
    const response = await fetch(`${server.url}/simulate`, { method: "POST", body: form });
    const { status, headers } = response;
    expect(status).toBe(201);
    expect(api.misfitsOf(api.find(operation), { status, headers, body: await response.json() })).toEqual([]);
  });

  test("of experiments", async () => {
    const asked = { name: "Better", feature_key: "checkout", primary_metric_event: "addtocart", enabled: false };
    const { body } = await call("POST /experiments", 201, "/experiments", asked);
    const path = `/experiments/${body.id}`;
    await call("GET /experiments", 200, "/experiments");
    await call("GET /experiments/{id}", 200, path);
    await call("POST /experiments/{id}/start", 200, `${path}/start`);
    await server.client.evaluate("checkout", { user_id: "u" });
    await call("GET /experiments/{id}/result", 200, `${path}/result`);
    await call("POST /experiments/{id}/stop", 200, `${path}/stop`);
  });

  test("of training and models", async () => {
    await call("GET /model/status", 200, "/model/status");
    await call("POST /train", 422, "/train", { feature_key: "checkout" });
    for (const events of purchases("checkout")) await server.client.ingest("test", events);
    const options = { feature_key: "checkout", learner: "logistic", window_seconds: 3600 };
    const { body: trained } = await call("POST /train", 200, "/train", options);
    const { body: queued } = await call("POST /train/async", 202, "/train/async", { ...options, seed: 2 });
    await call("GET /train/jobs", 200, "/train/jobs?feature_key=checkout&limit=5");
    await call("GET /train/jobs/{job_id}", 200, `/train/jobs/${queued.job_id}`);
    await call("DELETE /train/jobs/{job_id}", 200, `/train/jobs/${queued.job_id}`);
    await call("GET /model/status", 200, "/model/status?feature_key=checkout");
    await call("GET /model/runs", 200, "/model/runs?limit=10");
    const path = `/models/${encodeURIComponent(trained.model_version)}`;
    await call("GET /models/{version}", 200, path);
    await call("POST /models/{version}/rollback", 200, `${path}/rollback`, { reason: "It was better" });
    await call("POST /models/{version}/promote", 200, `${path}/promote`);
    await call("POST /models/{version}/checks", 202, `${path}/checks`);
    await call("GET /models/{version}/checks", 200, `${path}/checks`);
    await call("GET /features/{feature}/lift", 200, "/features/checkout/lift");
  }, 60_000);

  test("of operations and access", async () => {
    const { body: dashboard } = await call("GET /", 200, "/");
    await call("GET /app/{page}", 200, "/app/live");
    await call("GET /assets/{file}", 200, /"(\/assets\/[^"]+\.js)"/.exec(dashboard)?.[1] ?? "");
    await call("GET /system", 200, "/system");
    await call("GET /health", 200, "/health");
    await call("GET /health/live", 200, "/health/live");
    await call("GET /health/ready", 200, "/health/ready");
    await call("GET /metrics", 200, "/metrics");
    await call("GET /metrics", 200, "/metrics", undefined, { Accept: "application/json" });
    const { body: page } = await call("GET /docs", 200, "/docs");
    await call("GET /docs/{version}/{file}", 200, /"(\/docs\/[^"]+\.js)"/.exec(page)?.[1] ?? "");
    await call("GET /openapi.json", 200, "/openapi.json");
    await call("POST /environments", 201, "/environments", { key: "staging" });
    await call("GET /environments", 200, "/environments");
    await call("POST /auth/token", 409, "/auth/token", {});
    await call("POST /session", 409, "/session", {});
    await call("GET /session", 200, "/session");
    await call("DELETE /session", 204, "/session");
  });

  test("were those of every documented route", () => {
    expect([...called].sort()).toEqual(api.operations.map(({ name }) => name).sort());
  });
});
