import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { exampleRequest, sendRequest } from "../support/api-request.ts";
import { type DocumentedApi, type DocumentedOperation, documentedApi } from "../support/documented-api.ts";
import { fittingRequests, misfitRequests, strangeRequests } from "../support/made-up-requests.ts";
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

/** A stream has no end to wait for; what is told on it is tested with its route. */
async function callStream(name: string, path: string) {
  called.add(name);
  const answer = await sendRequest(server.url, "GET", { path, headers: {} });
  expect([answer.status, ...api.misfitsOf(api.find(name), answer)]).toEqual([200]);
}

/** The body that the document has as an example: what readers of it try first. */
function example(name: string): Record<string, unknown> {
  const { requestBody } = api.find(name);
  return requestBody?.content["application/json"]?.example as Record<string, unknown>;
}

describe("the documented answers", () => {
  test("of features and segments", async () => {
    const at =
      (await call("POST /features", 201, "/features", example("POST /features"))).headers.get("location") ?? "";
    await call("GET /features", 200, "/features");
    await call("GET /features/{feature}", 200, at);
    await call("PUT /features/{feature}", 200, at, example("PUT /features/{feature}"));
    await call("GET /features/{feature}/revisions", 200, `${at}/revisions`);
    await call("POST /features/{feature}/preview", 200, `${at}/preview`, example("POST /features/{feature}/preview"));
    await call("POST /features/{feature}/replay", 200, `${at}/replay`, example("POST /features/{feature}/replay"));
    await call("GET /strategies", 200, "/strategies");
    await call("POST /features", 201, "/features", { name: "Gone", key: "gone" });
    await call("DELETE /features/{feature}", 204, "/features/gone");
    const segment = example("POST /segments");
    const { headers } = await call("POST /segments", 201, "/segments", segment);
    const segmentAt = headers.get("location") ?? "";
    await call("GET /segments", 200, "/segments");
    await call("GET /segments/{segment}", 200, segmentAt);
    await call("PUT /segments/{segment}", 200, segmentAt, segment);
    await call("POST /segments", 201, "/segments", { ...segment, key: "gone" });
    await call("DELETE /segments/{segment}", 204, "/segments/gone");
  });

  test("of decisions, explained or not, and of failures", async () => {
    const asked = example("POST /evaluate");
    await call("POST /evaluate", 200, "/evaluate", asked);
    await call("POST /evaluate", 200, "/evaluate", { ...asked, feature_key: "nothing" });
    await call("POST /evaluate", 200, "/evaluate", { ...asked, explain: true });
    await call("POST /evaluate", 422, "/evaluate", { ...asked, user: {} });
    await call("POST /evaluate", 400, "/evaluate", "{");
    await call("POST /evaluate/batch", 200, "/evaluate/batch", example("POST /evaluate/batch"));
    await server.services.observer.flush();
    await call("GET /decisions", 200, "/decisions?feature_key=new-checkout");
    await call("GET /decisions/summary", 200, "/decisions/summary");
  });

  test("of those who decide for themselves", async () => {
    const { headers, body } = await call("GET /snapshot", 200, "/snapshot");
    await call("GET /snapshot", 304, "/snapshot", undefined, { "If-None-Match": headers.get("etag") ?? "" });
    const { feature_key, feature_version, variant, enabled, decision_source, reason, step } =
      await server.client.evaluate("new-checkout", { user_id: "u" });
    const decided = { feature_key, feature_version, variant, enabled, decision_source, reason, step };
    const figures = { score: null, threshold: null, confidence: null, probability: null, model_version: null };
    const exposure = {
      ...{ ...decided, ...figures, decision_id: "0123456789abcdef-1", at: new Date().toISOString(), user_id: "u" },
      ...{ fallback: null, experiment: null, features: null, probabilities: null },
    };
    expect(body.features.map(({ key }: { key: string }) => key)).toContain("new-checkout");
    await call("POST /exposures", 201, "/exposures", { exposures: [exposure, {}] });
  });

  test("of OFREP", async () => {
    const one = "POST /ofrep/v1/evaluate/flags/{key}";
    const all = "POST /ofrep/v1/evaluate/flags";
    const asked = example(one);
    await call(one, 200, "/ofrep/v1/evaluate/flags/new-checkout", asked);
    await call(one, 400, "/ofrep/v1/evaluate/flags/new-checkout", { context: {} });
    await call(one, 404, "/ofrep/v1/evaluate/flags/nothing", asked);
    const { headers, body } = await call(all, 200, "/ofrep/v1/evaluate/flags", asked);
    await call(all, 200, "/ofrep/v1/evaluate/flags");
    await call(all, 304, "/ofrep/v1/evaluate/flags", asked, { "If-None-Match": headers.get("etag") ?? "" });
    await call(all, 400, "/ofrep/v1/evaluate/flags", "{");
    const address: string = body.eventStreams[0].endpoint.requestUri;
    await callStream("GET /ofrep/v1/streams/{environment}", address);
    await call("GET /ofrep/v1/streams/{environment}", 403, address.replace("signature=", "signature=not"));
  });

  test("of events", async () => {
    const event = example("POST /events");
    await call("POST /events", 201, "/events", event);
    await call("POST /events", 200, "/events", event);
    await call("POST /ingest/events", 201, "/ingest/events", example("POST /ingest/events"));
    await call("POST /ingest/events", 201, "/ingest/events", { source: "test", events: [event, {}] });
    await call("GET /events", 200, "/events?limit=1");
    await call("GET /users/{user_id}", 200, "/users/ada");
  });

  test("of streams", async () => {
    await callStream("GET /decisions/stream", "/decisions/stream");
    await callStream("GET /changes", "/changes");
  });

  test("of an import", async () => {
    const operation = api.find("POST /simulate");
    called.add(operation.name);
    const answer = await sendRequest(server.url, "POST", exampleRequest(api, operation, {}));
    expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ inserted_rows: 1 })]);
    expect(api.misfitsOf(operation, answer)).toEqual([]);
  });

  test("of experiments", async () => {
    const { headers } = await call("POST /experiments", 201, "/experiments", example("POST /experiments"));
    const path = headers.get("location") ?? "";
    await call("GET /experiments", 200, "/experiments");
    await call("GET /experiments/{id}", 200, path);
    await call("POST /experiments/{id}/start", 200, `${path}/start`);
    await server.client.evaluate("new-checkout", { user_id: "u" });
    await call("GET /experiments/{id}/result", 200, `${path}/result`);
    await call("POST /experiments/{id}/stop", 200, `${path}/stop`);
  });

  test("of training and models", async () => {
    await call("GET /model/status", 200, "/model/status");
    await call("POST /train", 422, "/train", { learner: "svm" });
    for (const events of purchases("new-checkout")) await server.client.ingest("test", events);
    const options = example("POST /train");
    const { body: trained } = await call("POST /train", 200, "/train", options);
    const queued = await call("POST /train/async", 202, "/train/async", { ...options, seed: 2 });
    const job = queued.headers.get("location") ?? "";
    await call("GET /train/jobs", 200, "/train/jobs?feature_key=new-checkout&limit=5");
    await call("GET /train/jobs/{job_id}", 200, job);
    await call("DELETE /train/jobs/{job_id}", 200, job);
    await call("GET /model/status", 200, "/model/status?feature_key=new-checkout");
    await call("GET /model/runs", 200, "/model/runs?limit=10");
    const path = `/models/${encodeURIComponent(trained.model_version)}`;
    await call("GET /models/{version}", 200, path);
    await call("POST /models/{version}/rollback", 200, `${path}/rollback`, example("POST /models/{version}/rollback"));
    await call("POST /models/{version}/promote", 200, `${path}/promote`);
    await call("POST /models/{version}/checks", 202, `${path}/checks`);
    await call("GET /models/{version}/checks", 200, `${path}/checks`);
    await call("GET /features/{feature}/lift", 200, "/features/new-checkout/lift");
  }, 60_000);

  test("of operations and access", async () => {
    const { body: dashboard } = await call("GET /", 200, "/");
    await call("GET /app", 200, "/app");
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
    await call("POST /environments", 201, "/environments", example("POST /environments"));
    await call("GET /environments", 200, "/environments");
    await call("POST /auth/token", 409, "/auth/token", {});
    await call("POST /session", 409, "/session", {});
    await call("GET /session", 200, "/session");
    await call("DELETE /session", 204, "/session");
  });

  test("were those of every documented operation", () => {
    expect([...called].sort()).toEqual(api.operations.map(({ name }) => name).sort());
  });
});

describe("requests that nobody wrote", () => {
  const SEED = 4;
  /** A list of which each is taken or rejected by itself. */
  const ONE_BY_ONE = ["POST /ingest/events", "POST /exposures"];
  /** Few, and where there is nothing to train on: a worker takes its time. */
  const SLOW = ["POST /train", "POST /train/async"];

  test.each([
    { which: "fit the document are answered as it says", made: fittingRequests, count: 6, refused: false },
    { which: "do not fit the document are refused as it says", made: misfitRequests, count: 12, refused: true },
    { which: "nobody would write are answered as it says", made: strangeRequests, count: 0, refused: false },
  ])(
    "and which $which, never by 500",
    async ({ made, count, refused }) => {
      const options = { seed: SEED, known: await names() };
      const wrong: string[] = [];
      // Deletions last, so that the others find something.
      for (const operation of api.operations.toSorted((a, b) => Number(isDelete(a)) - Number(isDelete(b)))) {
        const slow = SLOW.includes(operation.name);
        for (const request of made(api, operation, { ...options, count: slow ? 1 : count })) {
          const headers = { ...request.headers, ...(slow ? { "X-Environment": "staging" } : {}) };
          const answer = await sendRequest(server.url, operation.method, { ...request, headers });
          const misfits = [...api.misfitsOf(operation, answer)];
          if (answer.status >= 500) misfits.push(`is ${answer.status}: ${JSON.stringify(answer.body)}`);
          if (refused && answer.status < 400 && !ONE_BY_ONE.includes(operation.name)) misfits.push("is taken");
          const asked = `${operation.name} (${request.what}) ${request.path} ${request.body}`.slice(0, 700);
          wrong.push(...misfits.map((misfit) => `${asked}: ${misfit}`));
        }
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  test("and whose method the path does not take are told which it takes", async () => {
    for (const [path, operations] of Map.groupBy(api.operations, ({ path }) => path)) {
      const taken = operations.map(({ method }) => method);
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"].filter((one) => !taken.includes(one))) {
        const { status, headers, body } = await server.call(method, path.replaceAll(/[{}]/g, ""));
        expect([method, path, status]).toEqual([method, path, 405]);
        expect([path, headers.get("allow")?.split(", ").sort()]).toEqual([path, taken.sort()]);
        const failure = path.startsWith("/ofrep/") ? "OfrepFailure" : "Failure";
        expect([path, ...api.misfits(`/components/schemas/${failure}`, body)]).toEqual([path]);
      }
    }
  });

  const isDelete = ({ method }: DocumentedOperation) => method === "DELETE";

  async function names() {
    const { body: models } = await server.call("GET", "/model/runs");
    const { body: training } = await server.call("GET", "/train/jobs");
    return {
      ...{ feature: ["new-checkout"], feature_key: ["new-checkout"], segment: ["beta-testers"], id: ["1"] },
      ...{ user_id: ["ada"], variant: ["on", "off"], strategy: ["hash-bucketing"], environment: ["production"] },
      ...{ version: [String(models.runs[0].model_version)], job_id: [String(training.jobs[0].job_id)] },
      "X-Environment": ["production", "production", "production", "staging", "nowhere"],
    };
  }
});
