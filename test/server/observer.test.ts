import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decision } from "../../core/decision/decision.ts";
import type { Exposure } from "../../core/decision/exposure.ts";
import type { Snapshot } from "../../core/engine/snapshot.ts";
import type { ExposureStore } from "../../core/ports.ts";
import { createObserver, type ObserverOptions } from "../../server/observer.ts";
import { exposureStore } from "../../server/postgres/exposures.ts";
import { createMetrics } from "../../server/telemetry/metrics.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const NOON = Date.parse("2026-11-20T12:00:00Z");
const DAY = 86_400_000;

/** Decided by a rollout, unless told otherwise. */
function decision(change: Partial<Decision> = {}): Decision {
  return {
    feature_key: "checkout",
    user_id: "ada",
    enabled: true,
    variant: "on",
    value: true,
    decision_source: "rollout",
    reason: "SPLIT",
    step: "rollout",
    score: null,
    threshold: null,
    threshold_mode: null,
    confidence: null,
    probability: 0.25,
    model_version: null,
    bucket: 7,
    fallback: null,
    experiment: null,
    feature_version: 1,
    ...change,
  };
}

/** A store in memory that can be taken away and brought back. */
function memoryStore() {
  const rows: Exposure[] = [];
  const state = { rows, failure: undefined as Error | undefined, attempts: 0, largest: 0 };
  const store: ExposureStore = {
    append: async (exposures) => {
      state.attempts += 1;
      state.largest = Math.max(state.largest, exposures.length);
      if (state.failure !== undefined) throw state.failure;
      rows.push(...exposures);
      return exposures.length;
    },
  };
  return Object.assign(state, { store });
}

function observe(options: Partial<ObserverOptions> & Pick<ObserverOptions, "exposures">, learns = false) {
  const metrics = createMetrics();
  const observer = createObserver({ metrics, flushAfterMs: 5, closeWithinMs: 200, ...options });
  // All the observer reads of a snapshot.
  const snapshot = { features: new Map([["checkout", { learns }]]) } as unknown as Snapshot;
  const about = { environment: "production", user: {}, profile: undefined, snapshot, at: NOON };
  const decide = (change: Partial<Decision> = {}, more: Partial<typeof about & { user: object }> = {}) =>
    observer.decided(decision(change), { ...about, ...more }).id;
  const counter = (name: string) => metrics.snapshot().counters[name];
  return { observer, decide, metrics, counter };
}

describe("createObserver()", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());

  it("stores a decision with its fallback and the features as served", async () => {
    const { observer, decide } = observe({ exposures: exposureStore(database.sql) }, true);
    const id = decide(
      { fallback: { from: "model", cause: "no_model" }, model_version: "checkout@3", score: 0.2 },
      {
        user: { user_id: "ada", plan: "team" },
        profile: { view: { count: 2, first_at: NOON - DAY, last_at: NOON - 3600, value_sum: 0 } } as never,
      },
    );
    await observer.flush();

    const [row] = await database.sql`select * from exposures where decision_id = ${id}`;
    expect(row).toMatchObject({
      ...{ environment: "production", feature_key: "checkout", feature_version: 1, user_id: "ada", unit: "ada" },
      ...{ variant: "on", enabled: true, decision_source: "rollout", reason: "SPLIT", step: "rollout" },
      ...{ score: 0.2, probability: 0.25, model_version: "checkout@3", threshold: null },
      ...{ fallback_from: "model", fallback_cause: "no_model" },
    });
    expect(row?.features).toMatchObject({ "attribute.plan": "team", "events.view.count": 2 });
    expect(new Date(row?.at).getTime()).toBe(NOON);
    await observer.close();
  });

  it("gives every decision an id of its own, also across observers", () => {
    const observers = [observe({ exposures: memoryStore().store }), observe({ exposures: memoryStore().store })];
    const [first = [], second = []] = observers.map(({ decide }) => Array.from({ length: 2500 }, () => decide()));
    expect(new Set([...first, ...second]).size).toBe(5000);
    // Decisions of one moment are listed by their ids.
    expect([...first].sort()).toEqual(first);
  });

  it("counts every decision by feature, variant, source and reason, and fallbacks by cause", async () => {
    const { decide, counter } = observe({ exposures: memoryStore().store });
    for (let i = 0; i < 3; i += 1) decide({ user_id: `user-${i}` });
    decide({ fallback: { from: "model", cause: "timeout" } });
    const labels = 'environment="production",feature="checkout",reason="SPLIT",source="rollout",variant="on"';
    expect(counter(`feature_flag_evaluations_total{${labels}}`)).toBe(4);
    const fallback = 'cause="timeout",environment="production",feature="checkout",from="model"';
    expect(counter(`feature_flag_fallbacks_total{${fallback}}`)).toBe(1);
  });

  it("stores neither unknown features nor users without id, and gives unknown keys one series", async () => {
    const memory = memoryStore();
    const { observer, decide, metrics } = observe({ exposures: memory.store });
    for (let i = 0; i < 50; i += 1)
      decide({
        ...{ feature_key: `made-up-${i}`, feature_version: null, variant: null, step: null },
        ...{ decision_source: "feature_not_found", reason: "ERROR", enabled: false, value: null },
      });
    decide({ user_id: null });
    await observer.flush();
    expect(memory.rows).toEqual([]);
    const evaluations = Object.entries(metrics.snapshot().counters).filter(([name]) => name.includes("evaluations"));
    expect(evaluations.map(([, count]) => count)).toEqual([50, 1]);
  });

  it("stores the first exposure of a day only, and again when anything that matters changes", async () => {
    const memory = memoryStore();
    const { observer, decide, counter } = observe({ exposures: memory.store });
    const experiment = { experiment_id: 1, experiment_name: "one", variant: "A" };
    const changes: Partial<Decision>[] = [
      {},
      { user_id: "grace" },
      { variant: "off" },
      { decision_source: "ml" },
      { model_version: "checkout@1" },
      { fallback: { from: "model", cause: "timeout" } },
      { experiment },
      { experiment: { ...experiment, experiment_id: 2 } },
    ];
    for (const change of [...changes, ...changes]) decide(change);
    decide({ feature_version: 2 });
    decide({ feature_version: 2 });
    await observer.flush();
    expect(memory.rows).toHaveLength(changes.length + 1);
    expect(counter("exposures_repeated_total")).toBe(changes.length + 1);

    decide({ feature_version: 2 }, { at: NOON + DAY });
    decide({ feature_version: 2 }, { at: NOON + DAY + 1 });
    await observer.flush();
    expect(memory.rows).toHaveLength(changes.length + 2);
  });

  it("keeps environments apart", async () => {
    const memory = memoryStore();
    const { observer, decide } = observe({ exposures: memory.store });
    decide();
    decide({}, { environment: "staging" });
    await observer.flush();
    expect(memory.rows.map(({ environment }) => environment)).toEqual(["production", "staging"]);
  });

  it("remembers at least a generation of users, and forgets in bounded memory", async () => {
    const memory = memoryStore();
    const { observer, decide } = observe({ exposures: memory.store, generationSize: 100 });
    for (let i = 0; i < 150; i += 1) decide({ user_id: `user-${i}` });
    for (let i = 50; i < 150; i += 1) decide({ user_id: `user-${i}` });
    await observer.flush();
    expect(memory.rows).toHaveLength(150);
    for (let i = 150; i < 350; i += 1) decide({ user_id: `user-${i}` });
    decide({ user_id: "user-0" });
    await observer.flush();
    expect(memory.rows).toHaveLength(351);
  });

  it("keeps exposures while the database is gone, drops and counts above the bound, and resumes", async () => {
    const memory = memoryStore();
    const { observer, decide, counter } = observe({ exposures: memory.store, capacity: 100, batchSize: 20 });
    memory.failure = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    for (let i = 0; i < 130; i += 1) decide({ user_id: `user-${i}` });
    await observer.flush();
    expect(observer.backlog).toEqual({ waiting: 100, dropped: 30 });
    expect(counter('exposures_dropped_total{reason="full"}')).toBe(30);

    memory.failure = undefined;
    await expect.poll(() => observer.backlog.waiting).toBe(0);
    expect(memory.rows.map(({ decision }) => decision.user_id)).toEqual(
      Array.from({ length: 100 }, (_, i) => `user-${i}`),
    );
    expect(memory.largest).toBe(20);
    expect(counter("exposures_written_total")).toBe(100);

    decide({ user_id: "user-129" }); // dropped before, so not yet known
    await observer.flush();
    expect(memory.rows).toHaveLength(101);
  });

  it("drops only the exposure the database refuses for what it contains", async () => {
    const rows: Exposure[] = [];
    const refused = Object.assign(new Error("invalid byte sequence"), { code: "22021" });
    const exposures: ExposureStore = {
      append: async (batch) => {
        if (batch.some(({ unit }) => unit === "user-13")) throw refused;
        return rows.push(...batch);
      },
    };
    const { observer, decide, counter } = observe({ exposures });
    for (let i = 0; i < 40; i += 1) decide({ user_id: `user-${i}` });
    await observer.flush();
    expect(rows).toHaveLength(39);
    expect(observer.backlog).toEqual({ waiting: 0, dropped: 1 });
    expect(counter('exposures_dropped_total{reason="invalid"}')).toBe(1);
  });

  it("writes what is left when it is closed, and counts what could not be written", async () => {
    const memory = memoryStore();
    const first = observe({ exposures: memory.store, flushAfterMs: 60_000 });
    first.decide();
    await first.observer.close();
    expect(memory.rows).toHaveLength(1);

    memory.failure = new Error("gone");
    const second = observe({ exposures: memory.store });
    second.decide();
    await second.observer.close();
    expect(second.counter('exposures_dropped_total{reason="closed"}')).toBe(1);
    expect(second.observer.backlog).toEqual({ waiting: 0, dropped: 1 });
  });

  it("does not wait for ever on a database that does not answer when it is closed", async () => {
    const { observer, decide } = observe({ exposures: { append: () => new Promise(() => {}) }, closeWithinMs: 20 });
    decide();
    await observer.close();
    expect(observer.backlog.dropped).toBe(1);
  });
});
