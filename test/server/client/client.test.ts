import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiError } from "../../../server/client/api-error.ts";
import { type Client, createClient } from "../../../server/client/client.ts";
import type { OpenApiDocument } from "../../../server/http/openapi.ts";
import type { Operation } from "../../../server/http/operation.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
const called = new Set<string>();
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = createClient({ url: server.url, fetch: listening });
});
afterAll(async () => {
  await client.close();
  await server.close();
});

const listening: typeof fetch = (input, init) => {
  called.add(`${init?.method ?? "GET"} ${new URL(String(input)).pathname}`);
  return fetch(input, init);
};

/** What answers in JSON and is left to others. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "GET /openapi.json": "the document itself",
  "GET /health": "/health/ready says more",
  "GET /health/live": "/health/ready says more",
  "GET /session": "browsers' sign-in",
  "POST /session": "browsers' sign-in",
  "DELETE /session": "browsers' sign-in",
  "POST /ofrep/v1/evaluate/flags": "POST /evaluate/batch says more",
  "POST /simulate": "a form with a file: npm run import sends files of any size",
  "GET /snapshot": "local evaluation",
  "POST /exposures": "local evaluation",
};

test("every documented operation that is meant for programs can be called, and nothing else is", async () => {
  const user = { user_id: "ada" };
  const feature = { key: "checkout", name: "Checkout" };
  const event = { user_id: "ada", feature_key: "checkout", event_type: "view" };
  const now = new Date().toISOString();
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.createFeature(feature),
    () => client.listFeatures(),
    () => client.getFeature("checkout"),
    () => client.updateFeature("checkout", { ...feature, rollout_percentage: 50 }, { version: 1 }),
    () => client.previewFeature("checkout", feature),
    () => client.featureRevisions("checkout"),
    () => client.listStrategies(),
    () => client.createSegment({ key: "beta", name: "Beta", condition: true }),
    () => client.listSegments(),
    () => client.getSegment("beta"),
    () => client.updateSegment("beta", { key: "beta", name: "Beta", condition: false }, { version: 1 }),
    () => client.deleteSegment("beta"),
    () => client.createEnvironment("staging"),
    () => client.listEnvironments(),
    () => client.evaluate("checkout", user),
    () => client.evaluateAll(user),
    () => client.listDecisions({ user_id: "ada", limit: 5 }),
    () => client.decisionSummary(),
    () => client.storeEvent(event),
    () => client.ingest("test", [{ ...event, timestamp: now }]),
    () => client.listEvents({ user_id: "ada", limit: 1 }),
    () => client.getUser("ada"),
    () => client.modelStatus("checkout"),
    () => client.modelRuns({ limit: 5 }),
    () => client.listTrainingJobs(),
    () => client.trainAsync({ feature_key: "checkout" }).then(({ job_id }) => client.cancelTraining(job_id)),
    () => client.lift("checkout"),
    () =>
      client.createExperiment({ name: "Better", feature_key: "checkout", primary_metric_event: "buy", enabled: false }),
    () => client.listExperiments(),
    () => client.getExperiment(1),
    () => client.startExperiment(1),
    () => client.experimentResult(1),
    () => client.stopExperiment(1),
    () => client.health(),
    () => client.metrics(),
    () => client.system(),
    () => client.ready(),
  ];
  for (const call of calls) await call();
  const refused: readonly [() => Promise<unknown>, code: string][] = [
    [() => client.evaluate("checkout", {}), "TARGETING_KEY_MISSING"],
    [() => client.train({ feature_key: "gone" }), "not_found"],
    [() => client.trainingJob("gone"), "not_found"],
    [() => client.getModel("gone@1"), "not_found"],
    [() => client.promote("gone@1"), "not_found"],
    [() => client.rollback("gone@1", "It was better"), "not_found"],
    [() => client.checkModel("gone@1"), "not_found"],
    [() => client.modelChecks("gone@1"), "not_found"],
    [() => client.replay("gone", { policy: { always: "on" } }), "not_found"],
    [() => client.issueToken({ issuer_key: "key" }), "auth_off"],
    [() => client.deleteFeature("checkout", { version: 1 }), "stale_version"],
  ];
  for (const [call, code] of refused)
    await expect(call(), String(call)).rejects.toMatchObject({ name: "ApiError", code });

  const document = (await server.call("GET", "/openapi.json")).body as OpenApiDocument;
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      responses,
    })),
  );
  const reached = (name: string) => [...called].some((call) => isOf(name, call));
  const missing = documented.filter(
    ({ name, responses }) => isJson(responses) && !reached(name) && !(name in LEFT_OUT),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
  expect(Object.keys(LEFT_OUT).filter((name) => reached(name) || !documented.some((one) => one.name === name))).toEqual(
    [],
  );
  expect([...called].filter((call) => !documented.some(({ name }) => isOf(name, call)))).toEqual([]);
});

function isJson(responses: Operation["responses"]): boolean {
  return Object.entries(responses).some(
    ([status, answer]) =>
      status.startsWith("2") &&
      !("$ref" in answer) &&
      (answer.content === undefined || "application/json" in answer.content),
  );
}

/** Of templates that fit, the one without a name where the path has a word is meant; that is enough for ours. */
function isOf(operation: string, call: string): boolean {
  return new RegExp(`^${operation.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(call);
}

describe("a call that does not succeed", () => {
  test("tells the server's code, what would work, and the field at fault", async () => {
    const name = "A name";
    await expect(client.createFeature({ key: "no", name })).rejects.toMatchObject({
      status: 422,
      code: "validation_error",
      field: "key",
    });
    await expect(client.createFeature({ key: "checkout", name })).rejects.toMatchObject({ status: 409 });
  });

  test("names the address when nobody is there", async () => {
    const url = await listenOnce(
      (_, response) => response.end(),
      (address) => address,
    );
    const error = await createClient({ url })
      .listFeatures()
      .catch((thrown: ApiError) => thrown);
    expect(error).toMatchObject({ status: 0, code: "unreachable" });
    expect((error as ApiError).message).toContain(`GET ${url}/features could not be sent: connect ECONNREFUSED`);
  });

  test("is given up after the client's timeout, the call's timeout, or at the caller's signal", async () => {
    await listenOnce(
      () => undefined,
      async (url) => {
        const patient = createClient({ url, timeout: 50 });
        const late = { status: 0, code: "timeout" };
        await expect(patient.listFeatures()).rejects.toMatchObject(late);
        await expect(createClient({ url }).listFeatures({ timeout: 50 })).rejects.toMatchObject(late);
        const stop = new AbortController();
        const call = patient.listFeatures({ signal: stop.signal, timeout: 60_000 });
        stop.abort(new Error("Not needed any more"));
        await expect(call).rejects.toThrow("Not needed any more");
      },
    );
  });

  test("says so when something else than the server answers", async () => {
    await listenOnce(
      (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>"),
      (url) =>
        expect(createClient({ url }).listFeatures()).rejects.toMatchObject({
          code: "unreadable",
          message: expect.stringContaining("<html>"),
        }),
    );
  });
});

test("listEvents pages", async () => {
  const events = ["1", "2", "3"].map((event_id) => ({
    event_id,
    user_id: "paged",
    feature_key: "checkout",
    event_type: "view",
    timestamp: "2026-01-01T00:00:00Z",
  }));
  await client.ingest("test", events);
  const ids: unknown[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await client.listEvents({ user_id: "paged", limit: 2, ...(cursor ? { cursor } : {}) });
    ids.push(...page.events.map(({ event_id }) => event_id));
    cursor = page.next_cursor;
  }
  expect(ids.toSorted()).toEqual(["1", "2", "3"]);
});

test("keys with odd characters, a path before ours, and a token that is made for each call arrive", async () => {
  const seen: unknown[] = [];
  let made = 0;
  await listenOnce(
    ({ url, headers }, response) => {
      seen.push([url, headers.authorization, headers["x-environment"], headers["x-actor"]]);
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    },
    async (url) => {
      const token = () => `token-${++made}`;
      const behind = createClient({ url: `${url}/flags/`, token, environment: "staging", actor: "ada" });
      await behind.getFeature("a b/c?#é");
      await behind.listEvents({ user_id: "a&b" });
    },
  );
  expect(seen).toEqual([
    ["/flags/features/a%20b%2Fc%3F%23%C3%A9", "Bearer token-1", "staging", "ada"],
    ["/flags/events?user_id=a%26b", "Bearer token-2", "staging", "ada"],
  ]);
});

/** A server that answers in this way, for as long as it is used. */
async function listenOnce<Result>(
  answer: RequestListener,
  use: (url: string) => Result | Promise<Result>,
): Promise<Result> {
  const other = createServer(answer);
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  } finally {
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  }
}
