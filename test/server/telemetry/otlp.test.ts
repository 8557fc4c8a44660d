import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Product, startProduct } from "../../support/product.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { type Collector, startCollector } from "./collector.ts";

const CALLER = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

async function post(url: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return JSON.parse(text);
}

async function waitFor<T>(find: () => T | undefined): Promise<T> {
  await waitUntil(() => find() !== undefined);
  return find() as T;
}

/** 1,500 views over 20 days; every third user buys an hour after each. */
function shopEvents(): object[] {
  const start = Date.now() - 20 * 86_400_000;
  return Array.from({ length: 1500 }, (_, i) => {
    const user = i % 500;
    const buys = user % 3 === 0;
    const at = (milliseconds: number) => new Date(start + i * 1_000_000 + milliseconds).toISOString();
    const properties = { plan: buys ? "team" : "free" };
    const common = { user_id: `user-${user}`, feature_key: "checkout", properties };
    const view = { ...common, event_type: "view", timestamp: at(0) };
    return buys ? [view, { ...common, event_type: "transaction", timestamp: at(3_600_000) }] : [view];
  }).flat();
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describe("with a collector", () => {
  let collector: Collector;
  let product: Product;
  beforeAll(async () => {
    collector = await startCollector();
    product = await startProduct({
      DATABASE_URL: database.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
    });
    const feature = { key: "checkout", name: "checkout", rollout_percentage: 100, ml_enabled: true };
    await post(`${product.url}/features`, feature);
  });
  afterAll(async () => {
    await product?.stop();
    await collector.close();
  });

  it("receives the decision and its fallback on the request's span, under the caller's", async () => {
    const question = { feature_key: "checkout", user: { user_id: "ada", plan: "team" } };
    const answer = await post(`${product.url}/evaluate`, question, { traceparent: TRACEPARENT });
    expect(answer).toMatchObject({ enabled: true, fallback: { from: "model", cause: "no_model" } });

    const span = await collector.find(({ name }) => name === "POST /evaluate");
    expect(span).toMatchObject({ ...{ traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2 } });
    expect(span.attributes).toMatchObject({ "http.route": "/evaluate", "http.response.status_code": 200 });
    expect(span.events.map(({ name }) => name)).toEqual(["feature_flag.evaluation"]);
    expect(span.events[0]?.attributes).toMatchObject({
      "feature_flag.key": "checkout",
      "feature_flag.result.variant": "on",
      "feature_flag.provider.name": "adaptive-feature-flags",
      "feature_flag.context.id": "ada",
      "feature_flag.version": "1",
      "feature_flag.set.id": "production",
      "adaptive.decision.id": (answer as { decision_id: string }).decision_id,
      "adaptive.decision.source": "rollout",
      "adaptive.step.id": "rollout",
      "adaptive.step.strategy": "hash-bucketing",
      "adaptive.fallback.from": "model",
      "adaptive.fallback.cause": "no_model",
    });
  });

  it("receives the decision as a log record of the same trace, with the span's attributes", async () => {
    const question = { feature_key: "checkout", user: { user_id: "lin" } };
    const { decision_id } = (await post(`${product.url}/evaluate`, question)) as { decision_id: string };
    const isIt = ({ attributes }: { attributes: Readonly<Record<string, unknown>> }) =>
      attributes["adaptive.decision.id"] === decision_id;
    const span = await collector.find(({ events }) => events.some(isIt));
    const record = await waitFor(() => collector.records.find(isIt));
    expect(record).toMatchObject({
      ...{ eventName: "feature_flag.evaluation", severityNumber: 9, traceId: span.traceId, spanId: span.spanId },
    });
    expect(record.attributes).toEqual(span.events.find(isIt)?.attributes);
  });

  it("receives an unknown feature as flag_not_found", async () => {
    await post(`${product.url}/evaluate`, { feature_key: "nowhere", user: { user_id: "ada" } });
    const isIt = (attributes: Readonly<Record<string, unknown>>) => attributes["feature_flag.key"] === "nowhere";
    const span = await collector.find(({ events }) => events.some(({ attributes }) => isIt(attributes)));
    expect(span.events.find(({ attributes }) => isIt(attributes))?.attributes).toMatchObject({
      "feature_flag.result.reason": "error",
      "error.type": "flag_not_found",
    });
  });

  it("receives the training as part of the trace of the request that asked for it", async () => {
    await post(`${product.url}/ingest/events`, { source: "test", events: shopEvents() });
    const headers = { traceparent: TRACEPARENT };
    const { job_id } = (await post(
      `${product.url}/train/async`,
      { feature_key: "checkout", window_seconds: 86_400 },
      headers,
    )) as {
      job_id: string;
    };

    const training = await collector.find(({ name }) => name === "train-model");
    const job = await fetch(`${product.url}/train/jobs/${job_id}`).then((answer) => answer.json());
    expect(job).toMatchObject({ status: "succeeded", error: null });
    const metrics = await fetch(`${product.url}/metrics`).then((answer) => answer.text());
    expect(metrics).toContain('training_jobs_total{status="succeeded"} 1\n');
    const ofTrace = (wanted: string) =>
      collector.find(({ name, traceId }) => name === wanted && traceId === CALLER.traceId);
    const request = await ofTrace("POST /train/async");
    const enqueue = await ofTrace("enqueue train-model");
    expect(request.parentSpanId).toBe(CALLER.spanId);
    expect(enqueue.parentSpanId).toBe(request.spanId);
    expect(training).toMatchObject({ parentSpanId: enqueue.spanId, traceId: CALLER.traceId, kind: 5, failed: false });
    expect(training.links).toMatchObject([{ traceId: CALLER.traceId, spanId: enqueue.spanId }]);
    expect(training.attributes).toMatchObject({ "adaptive.job.id": job_id });
    for (const part of ["read", "fit", "save"])
      expect((await ofTrace(part)).parentSpanId, `parent of ${part}`).toBe(training.spanId);
  });

  it("receives promotion and check of a model, linked to the request that had it trained", async () => {
    const training = await collector.find(({ name }) => name === "train-model");
    const enqueued = training.links[0];
    const version = String((await collector.find(({ name }) => name === "save")).attributes["adaptive.model.version"]);
    const traceId = "11111111111111111111111111111111";
    const headers = { traceparent: `00-${traceId}-${CALLER.spanId}-01` };
    await post(`${product.url}/models/${version}/promote`, { force: true, reason: "a test" }, headers);
    await post(`${product.url}/models/${version}/checks`, {}, headers);

    const promotion = await collector.find(({ name }) => name === "promote-model");
    expect(promotion.attributes).toMatchObject({
      "adaptive.model.version": version,
      "adaptive.job.id": training.attributes["adaptive.job.id"],
    });
    const checked = await collector.find((span) => span.name === "check-model" && span.traceId === traceId);
    const asked = await collector.find((span) => span.name === "enqueue check-model" && span.traceId === traceId);
    expect(checked).toMatchObject({ parentSpanId: asked.spanId, kind: 5, failed: false });
    expect(checked.links.map(({ spanId }) => spanId)).toEqual([asked.spanId, enqueued?.spanId]);
    expect(checked.attributes).toMatchObject({ "adaptive.model.version": version, "adaptive.model.health": "fresh" });
    const metrics = await fetch(`${product.url}/metrics`).then((answer) => answer.text());
    // One, or two when the hour's check came in between.
    expect(metrics).toMatch(/^model_checks_total\{health="fresh"\} [12]$/m);
    expect(metrics).toMatch(/^model_age_seconds\{environment="production",feature="checkout",status="live"\} \d/m);
  });
});

describe("with a collector that is sent few traces", () => {
  let collector: Collector;
  beforeAll(async () => {
    collector = await startCollector();
  });
  afterAll(() => collector.close());

  async function ask(
    environment: Readonly<Record<string, string>>,
    headers: readonly Readonly<Record<string, string>>[],
  ) {
    const product = await startProduct({
      DATABASE_URL: database.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0",
      ...environment,
    });
    const ids: string[] = [];
    for (const sent of headers) {
      const question = { feature_key: "nowhere", user: { user_id: "grace" } };
      const { decision_id } = (await post(`${product.url}/evaluate`, question, sent)) as { decision_id: string };
      ids.push(decision_id);
    }
    const metrics = await fetch(`${product.url}/metrics`).then((answer) => answer.text());
    await product.stop(); // sends what is left
    return { ids, metrics };
  }
  const idOf = ({ attributes }: { attributes: Readonly<Record<string, unknown>> }) =>
    attributes["adaptive.decision.id"];
  const UNSAMPLED = TRACEPARENT.replace(/1$/, "0");

  it("counts every evaluation, and sends those whose caller wants it", async () => {
    const { ids, metrics } = await ask({}, [{}, { traceparent: UNSAMPLED }, { traceparent: TRACEPARENT }]);
    expect(metrics).toMatch(/^feature_flag_evaluations_total\{.*feature="unknown".*\} 3$/m);
    expect(collector.spans.flatMap(({ events }) => events.map(idOf))).toEqual([ids[2]]);
    expect(collector.records.map(idOf)).toEqual([ids[2]]);
  });

  it("sends every evaluation as a log record when OTEL_LOGS_EXPORTER asks for them", async () => {
    const before = collector.records.length;
    const { ids } = await ask({ OTEL_LOGS_EXPORTER: "otlp" }, [{}, { traceparent: UNSAMPLED }]);
    const records = collector.records.slice(before);
    expect(records.map(idOf)).toEqual(ids);
    expect(records.map(({ traceId }) => traceId || undefined)).toEqual([undefined, CALLER.traceId]);
  });
});

describe("without a collector", () => {
  it("says nothing at all on stderr, from start to stop", async () => {
    const product = await startProduct({ DATABASE_URL: database.url, LOG_LEVEL: "warning" });
    await post(`${product.url}/evaluate`, { feature_key: "checkout", user: { user_id: "grace" } });
    await product.stop();
    expect(product.stderr()).toBe("");
  });
});
