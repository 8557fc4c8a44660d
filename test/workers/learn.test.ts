import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { train } from "../../core/model/train.ts";
import { Invalid } from "../../core/ports.ts";
import { openSql } from "../../server/postgres/sql.ts";
import { readDataset } from "../../server/postgres/training-data.ts";
import { type Lesson, learn } from "../../workers/learn.ts";
import { trainOptions } from "../core/model/made-up-shop.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { storeVisits, VISITS } from "./support/training-ports.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };
const REQUEST = {
  feature_key: null,
  learner: "logistic",
  target: "auto",
  seed: 1,
  window_seconds: 60,
  positive_event_types: null,
  cut: null,
} as const;
const DEFAULTS = {
  positive_event_types: ["buy"],
  view_event_types: ["view"],
  funnel: { intermediate: [], terminal: ["buy"] },
};

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await storeVisits(database.sql);
});
afterEach(() => database.close());

function lesson(request: Partial<Lesson["request"]> = {}): Lesson {
  return {
    databaseUrl: database.url,
    environment: "production",
    request: { ...REQUEST, ...request },
    defaults: DEFAULTS,
    now: Date.now(),
    plugins: [],
  };
}

/** Connections to this test's database, but for its own. */
const connections = async () =>
  (
    await database.sql`
      select pid from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`
  ).length;

/** Keeps whoever reads events waiting until it is called. */
async function holdEvents(): Promise<() => Promise<void>> {
  const sql = openSql(database.url, { max: 1 });
  await sql`begin`;
  await sql`lock table events in access exclusive mode`;
  return () => sql.end({ timeout: 0 });
}
const isWaiting = () =>
  vi.waitFor(async () => {
    const waiting = await database.sql`
      select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    expect(waiting).toHaveLength(1);
  }, PATIENCE);

describe("learn()", () => {
  test("reads and trains in a thread as readDataset() and train() do here, and reports its progress", async () => {
    const dataset = await readDataset(database.sql, "production", REQUEST, DEFAULTS);
    const here = train(dataset, trainOptions());
    const told: [number, string][] = [];
    const learning = learn(lesson(), { onProgress: (...report) => told.push(report) });
    expect(await learning.read).toEqual({ rows: VISITS.rows });
    const there = await learning.model;
    expect(there.hash).toBe(here.hash);
    expect(there.artifact).toEqual(here.artifact);
    expect(there.verdict).toBe(here.verdict);
    const stages = told.map(([, stage]) => stage);
    expect(stages).toEqual(expect.arrayContaining(["counting events", "fitting logistic"]));
    const shares = told.map(([share]) => share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  });

  test("takes the feature's own objective", async () => {
    const definition = {
      key: "shop",
      steps: [],
      off_variant: "off",
      objective: { event_types: ["nobody does this"], window_seconds: 60 },
    };
    await database.sql`insert into features (environment, key, definition) values ('production', 'shop', ${database.sql.json(definition)})`;
    const { model } = learn(lesson({ feature_key: "shop", window_seconds: null }));
    await expect(model).rejects.toThrow("nobody does this");
  });

  test("leaves the event loop free", async () => {
    let turns = 0;
    let learning = true;
    const turn = () => {
      turns++;
      if (learning) setImmediate(turn);
    };
    turn();
    await learn(lesson({ learner: "svm" })).model;
    learning = false;
    expect(turns).toBeGreaterThan(100);
  });

  test.runIf(process.platform === "linux")("runs below the priority of the threads that serve", async () => {
    const release = await holdEvents();
    const control = new AbortController();
    const { model } = learn(lesson(), { signal: control.signal });
    await isWaiting();
    expect(niceness(process.pid)).toBe(0);
    const lowered = readdirSync("/proc/self/task").filter((thread) => niceness(Number(thread)) === 10);
    expect(lowered).toHaveLength(1);
    control.abort(new Error("seen"));
    await expect(model).rejects.toThrow("seen");
    await release();
  });

  test("refuses as train() does", async () => {
    await database.sql`delete from events where user_id > 'u12'`;
    const { read, model } = learn(lesson());
    await expect(read).resolves.toMatchObject({ rows: expect.any(Number) });
    const error = await model.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Invalid);
    expect(error).toMatchObject({ code: "insufficient_data" });
  });

  test("refuses as readDataset() does", async () => {
    await database.sql`delete from events`;
    const { read, model } = learn(lesson());
    await expect(read).rejects.toThrow(Invalid);
    await expect(model).rejects.toMatchObject({ code: "no_events" });
  });

  test("ends its thread, and its connection to the database, when aborted while reading", async () => {
    const release = await holdEvents();
    const control = new AbortController();
    const { read, model } = learn(lesson(), { signal: control.signal });
    await isWaiting();
    control.abort(new Error("cancelled"));
    await expect(read).rejects.toThrow("cancelled");
    await expect(model).rejects.toThrow("cancelled");
    // The lock is still held: the query did not end by itself.
    await vi.waitFor(async () => expect(await connections()).toBe(1), PATIENCE);
    await release();
  });

  test("ends its thread when aborted while fitting", async () => {
    const control = new AbortController();
    const { model } = learn(lesson({ learner: "svm" }), {
      signal: control.signal,
      onProgress: (_, stage) => {
        if (stage === "fitting svm") control.abort(new Error("cancelled"));
      },
    });
    await expect(model).rejects.toThrow("cancelled");
    expect(() => learn(lesson(), { signal: control.signal })).toThrow("cancelled");
  });

  test("fails when its connection is lost, without a word about how it connects", async () => {
    const release = await holdEvents();
    const { model } = learn(lesson());
    await isWaiting();
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect(model).rejects.toThrow("Cannot train: ");
    await release();
    const url = new URL(database.url);
    url.port = "1";
    url.password = "hunter2";
    const failed = await learn({ ...lesson(), databaseUrl: url.href }).model.catch((error: Error) => error);
    expect(failed).toMatchObject({ message: expect.stringContaining("ECONNREFUSED") });
    expect(JSON.stringify([String(failed), failed, (failed as Error).cause])).not.toContain("hunter2");
  });

  test("refuses data that does not fit into its memory, and this thread lives on", async () => {
    await database.sql`
      insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
      select 'production', timestamptz '2026-01-02' + i * interval '1 second', 'many' || i, 'shop', 'view',
        jsonb_build_object('text', repeat(i::text, 200))
      from generate_series(1, 30000) as i`;
    await expect(learn(lesson(), { memory: 12 }).model).rejects.toMatchObject({ code: "too_much_data" });
  });
});

/** Of a thread; field 19 of its stat (proc(5)), where the name in brackets may hold blanks. */
function niceness(thread: number): number {
  const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
}
