import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FALLBACK_CAUSES } from "../../core/decision/decision.ts";
import { type Database, openDatabase } from "../../server/postgres/embedded.ts";
import { openSql } from "../../server/postgres/sql.ts";
import { purchases } from "../contract/purchases.ts";
import { type Product, startProduct } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";

interface Answered {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** Enough for a database that comes back on a busy machine. */
const PATIENCE = 30_000;
const FEATURES = ["plain", "ruled", "learned", "tried"] as const;

let directory: string;
let database: Database;
let port: string;
let product: Product;
let traffic: Traffic;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "aff-outage-"));
  database = await startDatabase();
  ({ port } = new URL(database.url));
  product = await startProduct({ DATABASE_URL: database.url, LOG_LEVEL: "info" });
  await setUp();
  traffic = startTraffic();
});
afterAll(async () => {
  await traffic?.stop();
  await product?.stop();
  await database?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a running product whose PostgreSQL goes away and comes back", () => {
  const outages: readonly [string, () => Promise<void> | void][] = [
    ["is stopped in order", () => database.stop()],
    ["is killed", () => kill(postmaster())],
    ["is stopped in order once more", () => database.stop()],
  ];
  const exposed: string[] = [];
  let models = 1;

  test.each(outages)(
    "serves on, refuses what it cannot store, and resumes by itself: PostgreSQL %s",
    async (_, end) => {
      const during = `outage-${models}`;
      // Its profile is read before, so that the model can still decide for this user.
      await waitUntil(async () => (await decide("learned", "user-0")).model_version === `learned@${models}`);
      const training = await post("/train/async", TRAINING);
      expect(training.status).toBe(202);

      await end();
      await waitUntil(async () => (await get("/health/ready")).body.status === "degraded", PATIENCE);
      expect(await get("/health/ready")).toMatchObject({
        status: 200,
        body: { status: "degraded", database: "unreachable", snapshots: { ready: true, stale: true } },
      });
      expect((await get("/health/live")).status).toBe(200);

      // From here on every decision says that it may be out of date.
      for (const key of FEATURES) expect([key, (await decide(key, during)).reason]).toEqual([key, "STALE"]);
      expect(await decide("ruled", during, { plan: "team" })).toMatchObject({ decision_source: "rule", enabled: true });
      expect(await decide("tried", during)).toMatchObject({ decision_source: "experiment" });
      expect(await decide("learned", "user-0")).toMatchObject({
        decision_source: "ml",
        reason: "STALE",
        fallback: null,
      });
      const unread = await decide("learned", `${during}-unread`);
      expect(unread).toMatchObject({
        decision_source: "rollout",
        fallback: { from: "model", cause: "missing_features" },
      });
      exposed.push(unread.decision_id, (await decide("plain", `${during}-new`)).decision_id);

      const seen = traffic.decided();
      const refused = { ...traffic.refused };
      await waitUntil(() => traffic.decided() > seen + 50, PATIENCE);
      await waitUntil(
        () => traffic.refused.events > refused.events && traffic.refused.writes > refused.writes,
        PATIENCE,
      );
      expect((await get("/health/ready")).body.exposures).toMatchObject({ waiting: expect.any(Number), dropped: 0 });
      expect(product.running(), product.stderr().slice(-2000)).toBe(true);

      database = await startDatabase(port);
      expect(new URL(database.url).port).toBe(port);
      await waitUntil(async () => (await get("/health/ready")).body.status === "ok", PATIENCE);
      const [stored, written] = [traffic.stored.length, traffic.written()];
      await waitUntil(() => traffic.stored.length > stored && traffic.written() > written, PATIENCE);
      for (const key of FEATURES) expect((await decide(key, `${during}-after`)).reason).not.toBe("STALE");

      // The training that was under way ends, and so does a new one.
      await waitUntil(
        async () => (await get(`/train/jobs/${training.body.job_id}`)).body.status === "succeeded",
        60_000,
      );
      const trained = await post("/train", TRAINING);
      models += 2;
      expect([trained.status, trained.body.model_version]).toEqual([200, `learned@${models}`]);
      expect(product.running(), product.stderr().slice(-2000)).toBe(true);
    },
    180_000,
  );

  test("has lost nothing that it acknowledged, and stops in order", async () => {
    await traffic.stop();
    expect(traffic.unexpected).toEqual([]);
    const sql = openSql(database.url, { max: 2 });
    try {
      const events = await sql<{ event_id: string }[]>`select event_id from events where event_id is not null`;
      const kept = new Set(events.map(({ event_id }) => event_id));
      expect(traffic.stored.filter((id) => !kept.has(id))).toEqual([]);

      await waitUntil(async () => (await get("/health/ready")).body.exposures.waiting === 0);
      const rows = await sql<{ decision_id: string; reason: string; fallback_cause: string | null }[]>`
        select decision_id, reason, fallback_cause from exposures where decision_id in ${sql(exposed)}`;
      const stored = new Map(rows.map(({ decision_id, ...row }) => [decision_id, row]));
      expect(rows).toHaveLength(exposed.length);
      expect(exposed.map((id) => [stored.get(id)?.reason, stored.get(id)?.fallback_cause])).toEqual(
        outages.flatMap(() => [
          ["STALE", "missing_features"],
          ["STALE", null],
        ]),
      );
      const [plain] = await sql<{ version: number }[]>`select version from features where key = 'plain'`;
      // The answer to a write may be lost with the connection after its commit, at most once an outage.
      expect(plain?.version).toBeGreaterThanOrEqual(1 + traffic.written());
      expect(plain?.version).toBeLessThanOrEqual(1 + traffic.written() + outages.length);
    } finally {
      await sql.end();
    }
    const metrics = await fetch(`${product.url}/metrics`).then((answer) => answer.text());
    expect(metrics).not.toMatch(/^exposures_dropped_total.* [1-9]/m);
    expect(await product.stop()).toBe(0);
  });
});

const HALVES = [
  { variant: "on", weight: 50 },
  { variant: "off", weight: 50 },
];
const TRAINING = { feature_key: "learned", learner: "logistic" };

async function setUp(): Promise<void> {
  const created = [
    { key: "plain", name: "Plain", rollout_percentage: 50 },
    {
      key: "ruled",
      name: "Ruled",
      steps: [
        {
          id: "teams",
          strategy: "rule-filters",
          config: { rules: [{ when: { attribute: "/plan", op: "equals", value: "team" }, variant: "on" }] },
        },
      ],
    },
    {
      key: "learned",
      name: "Learned",
      steps: [
        { id: "model", strategy: "ml-model", config: { mode: "propensity", min_confidence: 0 } },
        { id: "rollout", strategy: "hash-bucketing", config: { arms: HALVES } },
      ],
    },
    { key: "tried", name: "Tried" },
  ];
  for (const feature of created) expect(await post("/features", feature)).toMatchObject({ status: 201 });
  const experiment = { name: "Trial", feature_key: "tried", primary_metric_event: "purchase" };
  expect(await post("/experiments", experiment)).toMatchObject({ status: 201 });
  for (const events of [purchases("learned").flat()])
    expect(await post("/ingest/events", { source: "test", events })).toMatchObject({ status: 201 });
  expect(await post("/train", TRAINING)).toMatchObject({ status: 200, body: { model_version: "learned@1" } });
}

interface Traffic {
  /** Ids of events answered with 201. */
  readonly stored: readonly string[];
  /** Answers 503 database_unavailable. */
  readonly refused: { events: number; writes: number };
  /** Everything that should not have been answered, in words. */
  readonly unexpected: readonly string[];
  decided(): number;
  written(): number;
  stop(): Promise<void>;
}

/** Evaluations, events and feature writes, one after the other of each kind, until it is stopped. */
function startTraffic(): Traffic {
  const stored: string[] = [];
  const refused = { events: 0, writes: 0 };
  const unexpected: string[] = [];
  let [decided, written, turn, stopped] = [0, 0, 0, false];

  const isRefusal = ({ status, body }: Answered) => status === 503 && body.detail.code === "database_unavailable";
  const note = (what: string, { status, body }: Answered) =>
    unexpected.push(`${what} answers ${status} ${JSON.stringify(body)}`);

  async function evaluate(): Promise<void> {
    const key = FEATURES[turn++ % FEATURES.length] as string;
    const answer = await post("/evaluate", { feature_key: key, user: { user_id: `user-${turn % 120}` } });
    const { fallback, enabled, decision_source } = answer.body;
    const named = fallback === null || FALLBACK_CAUSES.includes(fallback.cause);
    if (answer.status === 200 && named && typeof enabled === "boolean" && decision_source !== "feature_not_found")
      decided += 1;
    else note("/evaluate", answer);
  }
  async function send(): Promise<void> {
    const event_id = `sent-${turn++}`;
    const event = { user_id: "user-1", feature_key: "plain", event_type: "click", timestamp: new Date().toISOString() };
    const answer = await post("/events", { ...event, event_id, properties: {} });
    if (answer.status === 201) stored.push(event_id);
    else if (isRefusal(answer)) refused.events += 1;
    else note("/events", answer);
  }
  async function write(): Promise<void> {
    const answer = await request("PUT", "/features/plain", {
      name: "Plain",
      key: "plain",
      rollout_percentage: 50,
      description: `${turn++}`,
    });
    if (answer.status === 200) written += 1;
    else if (isRefusal(answer)) refused.writes += 1;
    else note("PUT /features/plain", answer);
  }
  /** At a pace that leaves the machine to the others. */
  async function repeat(work: () => Promise<void>): Promise<void> {
    while (!stopped && product.running()) {
      await work().catch((error: unknown) => unexpected.push(String(error)));
      await pause(10);
    }
  }
  const running = Promise.all([repeat(evaluate), repeat(evaluate), repeat(send), repeat(send), repeat(write)]);
  return {
    stored,
    refused,
    unexpected,
    decided: () => decided,
    written: () => written,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

async function decide(feature_key: string, user_id: string, attributes: object = {}): Promise<Answered["body"]> {
  const answer = await post("/evaluate", { feature_key, user: { user_id, ...attributes } });
  expect([feature_key, answer.status]).toEqual([feature_key, 200]);
  return answer.body;
}

const get = (path: string) => request("GET", path);
const post = (path: string, body: object) => request("POST", path, body);

async function request(method: string, path: string, body?: object): Promise<Answered> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(product.url + path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

function startDatabase(port?: string): Promise<Database> {
  return openDatabase({ dataDir: directory, settings: { fsync: "off", ...(port === undefined ? {} : { port }) } });
}

function postmaster(): number {
  return Number(readFileSync(join(directory, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  // Sees that it is gone, and frees the data directory for the next start.
  await database.stop();
}
