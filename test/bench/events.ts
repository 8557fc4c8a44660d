import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../server/postgres/embedded.ts";
import { openSql, type Sql } from "../../server/postgres/sql.ts";
import { median } from "./interleave.ts";
import { load } from "./load.ts";
import type { Row } from "./row.ts";
import { type ServerProcess, startBare, startProduct } from "./server-process.ts";

const ROUNDS = 5;
const SECONDS = 3;
/** Events to a call, and calls to a round. */
const BATCH = 5_000;
const BATCHES = 8;
/** Callers that send batches at once. */
const SENDERS = 2;
const IN_FLIGHT = 256;

/** Acknowledged events over HTTP, each round beside the same rows by COPY and the same requests to a bare Hono route. */
export async function benchEvents(): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), "aff-bench-events-"));
  const database = await openDatabase({ databaseUrl: undefined, dataDir: directory });
  const sql = openSql(database.url);
  const product = await startProduct({ DATABASE_URL: database.url });
  const bare = await startBare();
  try {
    await prepareCopy(sql);
    const batched = await batches(sql, product);
    const singles = await single(product, bare);
    return [...batched, ...singles];
  } finally {
    await product.stop();
    await bare.stop();
    await sql.end();
    await database.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function batches(sql: Sql, product: ServerProcess): Promise<Row[]> {
  const copied: number[] = [];
  const ingested: number[] = [];
  const events = BATCH * BATCHES;
  for (let round = -1; round < ROUNDS; round += 1) {
    const rows = Array.from({ length: events }, () => makeEvent());
    const text = rows.map(copyLine).join("");
    const bodies = Array.from({ length: BATCHES }, (_, i) =>
      JSON.stringify({ source: "bench", events: rows.slice(i * BATCH, (i + 1) * BATCH) }),
    );
    const copy = await seconds(() => copyIn(sql, text));
    const ingest = await seconds(() => ingestAll(product.url, bodies));
    if (round < 0) continue;
    copied.push(events / copy);
    ingested.push(events / ingest);
  }
  return [
    {
      what: "events in batches of 5,000, acknowledged",
      ours: rate(median(ingested), "events/s"),
      other: `${rate(median(copied), "rows/s")} (COPY, same table)`,
      ratio: median(ingested) / median(copied),
      target: { atLeast: 0.35 },
    },
  ];
}

async function single(product: ServerProcess, bare: ServerProcess): Promise<Row[]> {
  const ours: number[] = [];
  const hono: number[] = [];
  for (let round = -1; round < ROUNDS; round += 1) {
    const lists = Array.from({ length: IN_FLIGHT }, () =>
      Array.from({ length: 50 }, () => {
        const { event_id: _, ...event } = makeEvent();
        return JSON.stringify(event);
      }),
    );
    const options = {
      seconds: SECONDS,
      connections: IN_FLIGHT,
      bodies: (connection: number) => lists[connection] ?? [],
    };
    const theirs = await load(`${bare.url}/evaluate`, options);
    const own = await load(`${product.url}/events`, options);
    if (round < 0) continue;
    hono.push(theirs.perSecond);
    ours.push(own.perSecond);
  }
  await drain(product.url);
  return [
    {
      what: `POST /events, ${IN_FLIGHT} in flight, durable`,
      ours: rate(median(ours), "events/s"),
      other: `${rate(median(hono), "req/s")} (bare hono)`,
      ratio: median(ours) / median(hono),
      target: { atLeast: 0.6 },
    },
  ];
}

/** The load leaves without waiting for its last answers: what it sent last is stored before this event is. */
async function drain(url: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/events`, { method: "POST", headers, body: JSON.stringify(makeEvent()) });
  if (answer.status !== 201) throw new Error(`POST /events answers ${answer.status}: ${await answer.text()}`);
}

type BenchEvent = ReturnType<typeof makeEvent>;

let made = 0;

/** Spread over 20,000 users, 50 features, three types and the last two weeks. */
function makeEvent() {
  made += 1;
  return {
    event_id: `bench-${made.toString(36)}-${Math.imul(made, 2_654_435_761) >>> 0}`,
    user_id: `user-${(Math.imul(made, 2_654_435_761) >>> 0) % 20_000}`,
    feature_key: `item_${made % 50}`,
    event_type: ["view", "view", "addtocart", "view", "transaction"][made % 5] as string,
    timestamp: new Date(Date.now() - ((made * 104_729) % 1_209_600) * 1000).toISOString(),
    properties: { plan: "team", latency_ms: made % 300, value: made % 7 },
  };
}

/** A table like events, with the same columns, indexes and partitions. */
async function prepareCopy(sql: Sql): Promise<void> {
  await sql.unsafe(`create table copied (like events including all) partition by range ("timestamp")`);
  const partitions = await sql<{ name: string; bounds: string }[]>`
    select relname as name, pg_get_expr(relpartbound, oid) as bounds from pg_class
    where oid in (select inhrelid from pg_inherits where inhparent = 'events'::regclass)`;
  for (const { name, bounds } of partitions)
    await sql.unsafe(`create table copied_${name} partition of copied ${bounds}`);
}

function copyLine({ event_id, user_id, feature_key, event_type, timestamp, properties }: BenchEvent): string {
  const columns = [
    "production",
    timestamp,
    user_id,
    feature_key,
    event_type,
    JSON.stringify(properties),
    "bench",
    event_id,
  ];
  return `${columns.join("\t")}\n`;
}

/** All rows in one COPY, the text made before: what `psql \copy` does. */
async function copyIn(sql: Sql, text: string): Promise<void> {
  await sql.begin(async (t) => {
    const target = await t`
      copy copied (environment, "timestamp", user_id, feature_key, event_type, properties, source, event_id)
      from stdin`.writable();
    await new Promise<void>((resolve, reject) => {
      target.once("finish", resolve).once("error", reject);
      target.end(text);
    });
    await t`select 1`; // postgres.js says "finish" before the server has answered.
  });
}

async function ingestAll(url: string, bodies: readonly string[]): Promise<void> {
  const left = [...bodies];
  const send = async () => {
    for (let body = left.pop(); body !== undefined; body = left.pop()) {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${url}/ingest/events`, { method: "POST", headers, body });
      const { saved_events } = (await answer.json()) as { saved_events: number };
      if (saved_events !== BATCH) throw new Error(`Only ${saved_events} of ${BATCH} events were stored`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

function rate(perSecond: number, unit: string): string {
  return `${Math.round(perSecond).toLocaleString("en")} ${unit}`;
}
