import { spawnSync } from "node:child_process";
import process from "node:process";
import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childSpan, enqueueSpan, jobSpan } from "../../../server/telemetry/job-spans.ts";
import { createMetrics } from "../../../server/telemetry/metrics.ts";
import { observeRequests } from "../../../server/telemetry/observe-requests.ts";
import { startTelemetry } from "../../../server/telemetry/start-telemetry.ts";
import { type Collector, startCollector } from "./collector.ts";

const CALLER = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

let collector: Collector;
let stop: () => Promise<void>;

beforeAll(async () => {
  collector = await startCollector();
  // The SDK itself reads the process's environment.
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = "http/json";
  process.env.OTEL_BSP_SCHEDULE_DELAY = "50";
  const telemetry = await startTelemetry({ environment: process.env, serviceVersion: "1.2.3" });
  stop = telemetry.shutdown;
});
afterAll(async () => {
  await stop();
  await collector.close();
});

function observedApp() {
  const app = new OpenAPIHono();
  app.get("/features/:id", (c) => c.json({ id: c.req.param("id") }));
  app.get("/broken", () => {
    throw new Error("boom");
  });
  app.onError((_, c) => c.json({ detail: "Internal server error." }, 500));
  const metrics = createMetrics();
  const fetch = observeRequests(app.fetch, { routes: app.routes, metrics });
  return { metrics, get: (path: string, headers = {}) => fetch(new Request(`http://test${path}`, { headers })) };
}

describe("observeRequests()", () => {
  it("sends one server span a request, named by method and route, under the caller's span", async () => {
    const response = await observedApp().get("/features/one", { traceparent: TRACEPARENT });
    expect(response.status).toBe(200);

    const span = await collector.find(({ name }) => name === "GET /features/{id}");
    expect(span).toMatchObject({ ...{ traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2, failed: false } });
    expect(span.attributes).toEqual({
      "http.request.method": "GET",
      "http.route": "/features/{id}",
      "url.path": "/features/one",
      "http.response.status_code": 200,
    });
    expect(span.resource).toMatchObject({ "service.name": "adaptive-feature-flags", "service.version": "1.2.3" });
  });

  it("marks a 5xx as an error and starts a trace when the caller has none", async () => {
    await observedApp().get("/broken");
    const span = await collector.find(({ name }) => name === "GET /broken");
    expect(span.failed).toBe(true);
    expect(span.parentSpanId).toBeFalsy();
    expect(span.attributes).toMatchObject({ "http.response.status_code": 500, "error.type": "500" });
  });

  it("sends nothing for a request whose caller did not sample it", async () => {
    const { get } = observedApp();
    await get("/features/unsampled", { traceparent: TRACEPARENT.replace(/1$/, "0") });
    await get("/features/sampled");
    await collector.find((span) => span.attributes["url.path"] === "/features/sampled");
    expect(collector.spans.filter((span) => span.attributes["url.path"] === "/features/unsampled")).toEqual([]);
  });

  it("times requests by route and status, and gives paths from outside no series of their own", async () => {
    const { get, metrics } = observedApp();
    for (const path of ["/features/1", "/features/2", "/nowhere/1", "/nowhere/2", "/broken"]) await get(path);
    const counts = Object.entries(metrics.snapshot().timings_ms).map(([name, { count }]) => [name, count]);
    expect(Object.fromEntries(counts)).toEqual({
      'http_server_request_duration{method="GET",route="/features/{id}",status="200"}': 2,
      'http_server_request_duration{method="GET",route="",status="404"}': 2,
      'http_server_request_duration{method="GET",route="/broken",status="500"}': 1,
    });
  });
});

describe("jobSpan()", () => {
  it("is a child of the span that enqueued the job, linked to it, with its parts below", async () => {
    const stored: (string | null)[] = [];
    const app = new OpenAPIHono();
    app.post("/train/async", (c) =>
      enqueueSpan("train-model", { "adaptive.feature.key": "checkout" }, async (traceparent) => {
        stored.push(traceparent);
        return c.json({}, 202);
      }),
    );
    const fetch = observeRequests(app.fetch, { routes: app.routes, metrics: createMetrics() });
    await fetch(new Request("http://test/train/async", { method: "POST", headers: { traceparent: TRACEPARENT } }));

    const job = jobSpan("train-model", { traceparent: stored[0] ?? null }, async () => {
      await childSpan("read", { rows: 10 }, async () => {});
      await childSpan("fit", {}, async () => {
        throw new RangeError("too few rows");
      });
    });
    await expect(job).rejects.toThrow("too few rows");

    const request = await collector.find(({ name }) => name === "POST /train/async");
    const enqueue = await collector.find(({ name }) => name === "enqueue train-model");
    const training = await collector.find(({ name }) => name === "train-model");
    const read = await collector.find(({ name }) => name === "read");
    const fit = await collector.find(({ name }) => name === "fit");
    expect(new Set([request, enqueue, training, read, fit].map((span) => span.traceId))).toEqual(
      new Set([CALLER.traceId]),
    );
    expect(enqueue).toMatchObject({ parentSpanId: request.spanId, kind: 4 });
    expect(training).toMatchObject({ parentSpanId: enqueue.spanId, kind: 5, failed: true });
    expect(training.links).toMatchObject([{ traceId: CALLER.traceId, spanId: enqueue.spanId }]);
    expect(read).toMatchObject({ parentSpanId: training.spanId, failed: false, attributes: { rows: 10 } });
    expect(fit).toMatchObject({ parentSpanId: training.spanId, failed: true });
    expect(fit.attributes).toMatchObject({ "error.type": "RangeError" });
  });
});

describe("startTelemetry()", () => {
  it("traces nothing and says nothing without a collector", () => {
    const program = `
      const { startTelemetry } = await import("./server/telemetry/start-telemetry.ts");
      const { childSpan } = await import("./server/telemetry/job-spans.ts");
      const { tracing } = await import("./server/telemetry/tracing.ts");
      const telemetry = await startTelemetry({ environment: process.env, serviceVersion: "1" });
      console.log(tracing.enabled, await childSpan("read", {}, async () => "done"));
      await telemetry.shutdown();`;
    const env = { PATH: process.env.PATH };
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { env, encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.stdout).toBe("false done\n");
  });

  it("reports a collector that cannot be reached, and ends all the same", () => {
    const program = `
      const { configureLogging } = await import("./server/telemetry/configure-logging.ts");
      const { startTelemetry } = await import("./server/telemetry/start-telemetry.ts");
      const { childSpan } = await import("./server/telemetry/job-spans.ts");
      configureLogging("info");
      const telemetry = await startTelemetry({ environment: process.env, serviceVersion: "1" });
      await childSpan("read", {}, async () => {});
      await telemetry.shutdown();`;
    const env = {
      PATH: process.env.PATH,
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_TIMEOUT: "200",
    };
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { env, encoding: "utf8" });
    expect(run.status).toBe(0);
    const lines = run.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ level: "WARN", logger: "adaptive.telemetry" });
  });
});
