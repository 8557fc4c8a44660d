import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FALLBACK_CAUSES, type Fallback } from "../../core/decision/decision.ts";
import { OPENS_AFTER } from "../../core/engine/breaker.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import { modelStore } from "../../server/postgres/models.ts";
import { purchases } from "../contract/purchases.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Product, startProduct } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type Collector, startCollector } from "./telemetry/collector.ts";

interface Case extends Fallback {
  /** What is broken, in words. */
  readonly when: string;
  readonly step: { readonly strategy: string; readonly config: Json; readonly budget_ms?: number };
  readonly user?: Readonly<Record<string, Json>>;
  /** So many questions before the one that counts. Default 0. */
  readonly asked?: number;
  readonly environment?: string;
}

const SURE = { min_confidence: 0 };
const unsound = (does: string, budget_ms?: number) => ({
  strategy: "unsound",
  config: { does },
  ...(budget_ms === undefined ? {} : { budget_ms }),
});
const model = (config: Readonly<Record<string, Json>>) => ({
  strategy: "ml-model",
  config: { mode: "propensity", ...config },
});
const byOrganisation = {
  strategy: "hash-bucketing",
  config: {
    unit: ["org_id"],
    arms: [
      { variant: "on", weight: 50 },
      { variant: "off", weight: 50 },
    ],
  },
};

/** Every cause of the closed list, by every way there is to it. `from` is the id of the failing step. */
const CASES: readonly Case[] = [
  { when: "nothing was trained", from: "model", cause: "no_model", step: model(SURE), environment: "untrained" },
  { when: "the model is too old", from: "model", cause: "stale_model", step: model({ max_age_seconds: 0.001 }) },
  { when: "the model is of another feature schema", from: "model", cause: "stale_model", step: model(SURE) },
  // ml-model does not look for drift yet: its check will abstain like this strategy, and go the same way.
  { when: "the model has drifted", from: "model", cause: "drifted_model", step: unsound("drift") },
  { when: "the model is not sure", from: "model", cause: "low_confidence", step: model({ min_confidence: 1 }) },
  { when: "the unit is missing", from: "split", cause: "missing_features", step: byOrganisation },
  { when: "a promise never settles", from: "plugin", cause: "timeout", step: unsound("hang", 20) },
  { when: "a verdict comes too late", from: "plugin", cause: "timeout", step: unsound("dawdle", 20) },
  { when: "a strategy throws", from: "plugin", cause: "error", step: unsound("throw") },
  { when: "a promise is rejected", from: "plugin", cause: "error", step: unsound("reject") },
  { when: "a then throws", from: "plugin", cause: "error", step: unsound("thenable") },
  { when: "a strategy empties the user", from: "plugin", cause: "error", step: unsound("deface") },
  {
    when: "a strategy failed too often",
    from: "plugin",
    cause: "open_circuit",
    step: unsound("throw"),
    asked: OPENS_AFTER,
  },
  { when: "a strategy lies", from: "plugin", cause: "invalid_verdict", step: unsound("lie") },
  { when: "a strategy answers no verdict", from: "plugin", cause: "invalid_verdict", step: unsound("mumble") },
];

let database: TestDatabase;
let collector: Collector;
let product: Product;

beforeAll(async () => {
  [database, collector] = await Promise.all([createTestDatabase(), startCollector()]);
  product = await startProduct({
    DATABASE_URL: database.url,
    PLUGINS: "./test/support/unsound-strategy.ts",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  await post("/environments", { key: "untrained" });
  // One model for the whole environment, which every feature without its own uses.
  await post("/ingest/events", { source: "test", events: purchases("shop").flat() });
  await post("/train", { learner: "logistic" });
});
afterAll(async () => {
  await product?.stop();
  await collector?.close();
  await database?.close();
});

describe("every fallback carries {from, cause} in the answer, the exposure, the span and the counter", () => {
  test("and the list of causes is covered", () => {
    expect([...new Set(CASES.map(({ cause }) => cause))].sort()).toEqual([...FALLBACK_CAUSES].sort());
  });

  test.each(CASES)("$cause: $when", async ({ when, from, cause, step, asked = 0, environment = "production" }) => {
    const feature_key = when.replaceAll(" ", "-");
    const question = { feature_key, user: { user_id: "ada" } };
    await post("/features", featureOf(feature_key, from, step), environment);
    if (when.includes("feature schema")) await makeOldModel(feature_key);
    for (let time = 0; time < asked; time += 1) await post("/evaluate", question, environment);
    // On a busy machine the user's events may be read too late the first time, which is another cause.
    if (from === "model")
      await waitUntil(async () => (await replayed(question, environment)).fallback?.cause === cause);

    const decision = await post("/evaluate", question, environment);
    expect(decision).toMatchObject({
      user_id: "ada",
      enabled: true,
      decision_source: "rollout",
      step: "rollout",
      reason: "STATIC",
      fallback: { from, cause },
    });

    const { decision_id } = decision;
    const { events } = await collector.find((span) => span.events.some((event) => idOf(event) === decision_id));
    expect(events.find((event) => idOf(event) === decision_id)?.attributes).toMatchObject({
      "adaptive.fallback.from": from,
      "adaptive.fallback.cause": cause,
      "adaptive.step.id": "rollout",
    });

    const metrics = await fetch(`${product.url}/metrics`).then((answer) => answer.text());
    const labels = { environment, feature: feature_key, from, cause };
    const counted = metrics.split("\n").filter((line) => {
      const isSeries = line.startsWith("feature_flag_fallbacks_total{");
      return isSeries && Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`));
    });
    expect(counted.map((line) => line.replace(/.*} /, ""))).toEqual(["1"]);

    await waitUntil(async () => (await exposures(decision_id)).length === 1);
    expect(await exposures(decision_id)).toMatchObject([
      { environment, user_id: "ada", step: "rollout", fallback_from: from, fallback_cause: cause },
    ]);
  });

  test("a step that may not be followed by another leads to the fallback variant", async () => {
    const last = { ...featureOf("straight", "plugin", unsound("throw")), fallback_variant: "off" };
    const steps = last.steps.map((step) => (step.id === "plugin" ? { ...step, on_failure: "fallback" } : step));
    await post("/features", { ...last, steps });
    expect(await post("/evaluate", { feature_key: "straight", user: { user_id: "ada" } })).toMatchObject({
      enabled: false,
      decision_source: "fallback",
      step: null,
      fallback: { from: "plugin", cause: "error" },
    });
  });

  test("profiles that come too late are missing_features, and are there the next time", async () => {
    await post("/features", featureOf("late", "model", model(SURE)));
    const question = { feature_key: "late", user: { user_id: "user-2" } };
    const held = Promise.withResolvers<void>();
    const locking = database.sql.begin(async (t) => {
      await t`lock table profiles in access exclusive mode`;
      await held.promise;
    });
    await waitUntil(async () => {
      const locks = await database.sql`
        select from pg_locks where relation = 'profiles'::regclass and mode = 'AccessExclusiveLock' and granted`;
      return locks.length === 1;
    });
    expect(await post("/evaluate", question)).toMatchObject({
      decision_source: "rollout",
      fallback: { from: "model", cause: "missing_features" },
    });
    held.resolve();
    await locking;
    await waitUntil(async () => (await post("/evaluate", question)).decision_source === "ml");
  });
});

/** The step under test, then a rollout to everyone. */
function featureOf(key: string, id: string, step: Case["step"]) {
  const arms = [{ variant: "on", weight: 100 }];
  const rollout = { id: "rollout", strategy: "hash-bucketing", config: { arms } };
  return { key, name: key, steps: [{ id, ...step }, rollout] };
}

/** The environment's model as an earlier release might have left it, live for this feature. */
async function makeOldModel(feature_key: string): Promise<void> {
  const models = modelStore(database.sql);
  const { version, environment, status, ...present } = (await models.live("production", null)) as Model;
  const artifact = { ...(present.artifact as Record<string, Json>), feature_schema: 0 };
  const saved = await models.save(environment, { ...present, feature_key, artifact, job_id: null }, "live");
  expect([version, status, saved.version]).toEqual(["global@1", "live", `${feature_key}@1`]);
  const question = { feature_key, user: { user_id: "ada" }, explain: true };
  const isKnown = async () => (await replayed(question)).trace.steps[0].detail.includes("feature schema 0");
  await waitUntil(isKnown);
}

/** A decision that is neither counted nor stored. */
async function replayed(question: object, environment?: string): Promise<ReturnType<typeof JSON.parse>> {
  const { results } = await post("/evaluate/batch", { ...question, at: new Date().toISOString() }, environment);
  return results[0];
}

function exposures(decision_id: string) {
  return database.sql`
    select environment, user_id, step, fallback_from, fallback_cause from exposures where decision_id = ${decision_id}`;
}

function idOf({ attributes }: { attributes: Readonly<Record<string, unknown>> }): unknown {
  return attributes["adaptive.decision.id"];
}

async function post(path: string, body: object, environment = "production"): Promise<ReturnType<typeof JSON.parse>> {
  const headers = { "content-type": "application/json", "x-environment": environment };
  const answer = await fetch(product.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${text}`);
  return JSON.parse(text);
}
