import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../server/postgres/embedded.ts";
import { openSql } from "../../server/postgres/sql.ts";
import { purchases } from "../contract/purchases.ts";
import { type Line, openLine } from "../support/line.ts";
import { type Product, startProduct } from "../support/product.ts";
import { waitUntil } from "../support/wait-until.ts";

const PATIENCE = 30_000;
const TRAINING = { feature_key: "learned", learner: "logistic" };

let directory: string;
let database: Database;
let line: Line;
let product: Product;
let traffic: Traffic;
/** Lets PostgreSQL go on when it is frozen. */
let thaw = () => {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "aff-silence-"));
  database = await openDatabase({ dataDir: directory, settings: { fsync: "off" } });
  line = await openLine(database.url);
  product = await startProduct({ DATABASE_URL: line.url });
  await post("/features", { key: "plain", name: "Plain", rollout_percentage: 50 });
  await post("/features", { key: "learned", name: "Learned", ml_enabled: true, ml_threshold_value: 0.5 });
  await post("/ingest/events", { source: "test", events: purchases("learned").flat() });
  expect((await post("/train", TRAINING)).status).toBe(200);
  traffic = startTraffic();
}, 60_000);
afterAll(async () => {
  thaw();
  await traffic?.stop();
  await product?.stop();
  await line?.close();
  await database?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a running product whose PostgreSQL falls silent, without closing a connection", () => {
  const silences: readonly [string, () => void, () => void][] = [
    ["is frozen, and thaws", freeze, () => thaw()],
    // As when its machine loses power: the old connections stay dead for ever.
    ["is cut off, and comes back to new connections only", () => line.swallow(), () => line.restore()],
  ];

  test.each(silences)(
    "answers all that waits for it, decides on, and resumes by itself: PostgreSQL %s",
    async (_, begin, end) => {
      const training = await post("/train/async", TRAINING);
      expect(training.status).toBe(202);
      begin();
      // Asked before anybody knows: each of these waits on a connection that never answers.
      const asked = await Promise.all([
        get("/features"),
        post("/features", { key: "late", name: "Late" }),
        get("/events?user_id=user-1"),
        get(`/train/jobs/${training.body.job_id}`),
        post("/events", event("asked")),
        post("/ingest/events", { source: "test", events: [event("asked-too")] }),
      ]);
      expect(asked.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503, 503]);
      expect((await get("/health/ready")).body).toMatchObject({ status: "degraded", database: "unreachable" });
      expect((await post("/events", event("known"))).status).toBe(503);
      const decided = traffic.decided();
      await waitUntil(() => traffic.decided() > decided + 20, PATIENCE);
      expect((await fetch(`${product.url}/metrics`)).status).toBe(200);

      end();
      await waitUntil(async () => (await get("/health/ready")).body.status === "ok", PATIENCE);
      const stored = traffic.stored.length;
      await waitUntil(() => traffic.stored.length > stored + 5, PATIENCE);
      expect((await get("/features")).body.map(({ key }: { key: string }) => key)).toContain("plain");
      await waitUntil(
        async () => (await get(`/train/jobs/${training.body.job_id}`)).body.status === "succeeded",
        90_000,
      );
      expect((await post("/train", TRAINING)).status).toBe(200);
      expect(product.running(), product.stderr().slice(-2000)).toBe(true);
    },
    150_000,
  );

  test("has kept what it acknowledged, each once, and stops in order", async () => {
    await traffic.stop();
    expect(traffic.unexpected).toEqual([]);
    await waitUntil(async () => (await get("/health/ready")).body.exposures.waiting === 0);
    const sql = openSql(database.url, { max: 1 });
    try {
      const events = await sql<{ event_id: string; count: number }[]>`
        select event_id, count(*) as count from events where source = 'traffic' group by event_id`;
      const kept = new Map(events.map(({ event_id, count }) => [event_id, count]));
      expect(traffic.stored.filter((id) => kept.get(id) !== 1)).toEqual([]);
      const exposures = await sql<{ decision_id: string; count: number }[]>`
        select decision_id, count(*) as count from exposures where feature_key = 'plain' group by decision_id`;
      const exposed = new Map(exposures.map(({ decision_id, count }) => [decision_id, count]));
      expect(traffic.decisions.filter((id) => exposed.get(id) !== 1)).toEqual([]);
    } finally {
      await sql.end();
    }
    expect(await product.stop()).toBe(0);
  }, 60_000);
});

interface Traffic {
  /** Ids of events answered with 201. */
  readonly stored: readonly string[];
  readonly decisions: readonly string[];
  readonly unexpected: readonly string[];
  decided(): number;
  stop(): Promise<void>;
}

/** Decisions and events, one after the other of each kind, until it is stopped. */
function startTraffic(): Traffic {
  const stored: string[] = [];
  const decisions: string[] = [];
  const unexpected: string[] = [];
  let [turn, stopped] = [0, false];

  async function decide(): Promise<void> {
    const answer = await post("/evaluate", { feature_key: "plain", user: { user_id: `user-${turn++}` } });
    if (answer.status === 200 && answer.body.decision_source === "rollout") decisions.push(answer.body.decision_id);
    else unexpected.push(`/evaluate answers ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  async function send(): Promise<void> {
    const event_id = `sent-${turn++}`;
    const answer = await post("/events", { ...event(event_id), source: "traffic" });
    if (answer.status === 201) stored.push(event_id);
    else if (answer.status !== 503) unexpected.push(`/events answers ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  async function repeat(work: () => Promise<void>): Promise<void> {
    while (!stopped && product.running()) {
      await work().catch((error: unknown) => unexpected.push(String(error)));
      await pause(10);
    }
  }
  const running = Promise.all([repeat(decide), repeat(send), repeat(send)]);
  return {
    stored,
    decisions,
    unexpected,
    decided: () => decisions.length,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function event(event_id: string) {
  const timestamp = new Date().toISOString();
  return { event_id, user_id: "user-1", feature_key: "plain", event_type: "click", timestamp, properties: {} };
}

/** Stops the postmaster first, so that nothing more is started, then all it has started; it goes on last, so that none is gone. */
function freeze(): void {
  const postmaster = Number(readFileSync(join(directory, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
  process.kill(postmaster, "SIGSTOP");
  const all = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const pairs = all.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  const children = pairs.flatMap(([pid, parent]) => (pid !== undefined && parent === postmaster ? [pid] : []));
  for (const pid of children) process.kill(pid, "SIGSTOP");
  thaw = () => {
    for (const pid of [...children, postmaster]) process.kill(pid, "SIGCONT");
    thaw = () => {};
  };
}

interface Answered {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
}

const get = (path: string) => request("GET", path);
const post = (path: string, body: object) => request("POST", path, body);

async function request(method: string, path: string, body?: object): Promise<Answered> {
  const answer = await fetch(product.url + path, { method, body: body === undefined ? null : JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}
