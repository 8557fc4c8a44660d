import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Product, startProduct } from "../../support/product.ts";
import { type Collector, type ReceivedSpan, startCollector } from "./collector.ts";

const TRACE = "22222222222222222222222222222222";
const HOUR = 3_600_000;
const FEATURE = {
  key: "offer",
  name: "An offer",
  objective: { event_types: ["purchase"], window_seconds: 60 },
  steps: [{ id: "bandit", strategy: "bandit", config: {}, on_failure: "next" }],
};

let database: TestDatabase;
let collector: Collector;
let product: Product;
beforeAll(async () => {
  database = await createTestDatabase();
  collector = await startCollector();
  product = await startProduct({
    DATABASE_URL: database.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  await send("POST", "/features", FEATURE);
});
afterAll(async () => {
  await product?.stop();
  await collector.close();
  await database.close();
});

async function send(method: string, path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(product.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** Decisions drawn evenly, and a purchase a second after every third; users are named after the time. */
async function decided(count: number, at: number): Promise<void> {
  await database.sql`
    with drawn as (
      insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
        decision_source, reason, step, probability, probabilities, features)
      select 'd' || ${at}::text || i, 'production', ${new Date(at).toISOString()}::timestamptz + i * interval '1 second', 'offer', 1,
        'u' || ${at}::text || i, 'u', case when i % 2 = 0 then 'on' else 'off' end, true, 'bandit', 'SPLIT', 'bandit', 0.5,
        '{"on": 0.5, "off": 0.5}', jsonb_build_object('schema', 1, 'attribute.age', i % 7)
      from generate_series(1, ${count}::int) as i
      returning user_id, at, features)
    insert into events (environment, "timestamp", user_id, feature_key, event_type)
    select 'production', at + interval '1 second', user_id, 'offer', 'purchase' from drawn
    where (features ->> 'attribute.age')::int < 2`;
}

const named = (name: string, and: (span: ReceivedSpan) => boolean = () => true) =>
  collector.find((span) => span.name === name && and(span));

describe("jobs nobody asked for by hand", () => {
  let enqueued: ReceivedSpan;
  let version: string;
  let learnedUntil: string;

  it("begin with a training, whose spans say which exposures it learned from", async () => {
    const start = Date.now() - 3 * HOUR;
    await decided(900, start);
    learnedUntil = new Date(start + 900_000).toISOString();
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    await send("POST", "/train/async", { feature_key: "offer", learner: "ridge" }, { traceparent });
    enqueued = await named("enqueue train-model", ({ traceId }) => traceId === TRACE);
    const saved = await named("save", ({ traceId }) => traceId === TRACE);
    version = String(saved.attributes["adaptive.model.version"]);
    expect(saved.attributes).toMatchObject({
      "adaptive.model.status": "live",
      "adaptive.exposures.used": 900,
      "adaptive.exposures.first": new Date(start + 1000).toISOString(),
      "adaptive.exposures.until": learnedUntil,
    });
  });

  it("teach a bandit: the span says which outcomes, and is linked to the request that had the model trained", async () => {
    const start = Date.now() - HOUR;
    await decided(40, start);
    const taught = await named("update-bandit");
    expect(taught).toMatchObject({ kind: 5, failed: false });
    expect(taught.links.map(({ spanId }) => spanId)).toEqual([enqueued.spanId]);
    expect(taught.attributes).toMatchObject({
      "feature_flag.key": "offer",
      "adaptive.model.version": version,
      "adaptive.outcomes": 40,
      "adaptive.exposures.after": learnedUntil,
      "adaptive.exposures.until": new Date(start + 40_000).toISOString(),
    });
  });

  it("check every hour: the span is linked to the request that had the model trained", async () => {
    await database.sql`select graphile_worker.add_job('check-models')`;
    const checked = await named("check-model");
    expect(checked).toMatchObject({ parentSpanId: undefined, kind: 5, failed: false });
    expect(checked.links.map(({ spanId }) => spanId)).toEqual([enqueued.spanId]);
    expect(checked.attributes).toMatchObject({ "adaptive.model.version": version, "adaptive.model.health": "fresh" });
  });

  it("schedule a training, which belongs to the trace of what found it due", async () => {
    const objective = { ...FEATURE.objective, retrain: { after_outcomes: 10 } };
    await send("PUT", "/features/offer", { ...FEATURE, objective });
    // What came since the last training was asked for is counted.
    await database.sql`update training_jobs set submitted_at = submitted_at - interval '2 hours'`;
    await database.sql`select graphile_worker.add_job('schedule-training')`;
    const asked = await named("enqueue train-model", ({ traceId }) => traceId !== TRACE);
    const scheduled = await named("schedule-training", ({ spanId }) => spanId === asked.parentSpanId);
    expect(scheduled).toMatchObject({ parentSpanId: undefined, traceId: asked.traceId, failed: false });
    expect(asked.attributes).toMatchObject({ "feature_flag.key": "offer", "adaptive.job.reason": "volume" });
    const trained = await named("train-model", ({ traceId }) => traceId === asked.traceId);
    expect(trained).toMatchObject({ parentSpanId: asked.spanId, kind: 5, failed: false });
  });
});
