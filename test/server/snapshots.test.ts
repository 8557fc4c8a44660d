import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FeatureDefinition } from "../../core/feature/feature.ts";
import type { ConfigurationStore } from "../../core/ports.ts";
import { configurationStore } from "../../server/postgres/configuration.ts";
import { type Database, openDatabase } from "../../server/postgres/embedded.ts";
import { featureStore } from "../../server/postgres/features.ts";
import { migrate } from "../../server/postgres/migrate.ts";
import { openSql, type Sql } from "../../server/postgres/sql.ts";
import type { Snapshots } from "../../server/services.ts";
import { openSnapshots } from "../../server/snapshots.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { waitUntil } from "../support/wait-until.ts";

const author = { actor: "ada" };
const clock = { now: () => Date.now() };
const strategies = new Map();

describe("openSnapshots() on a database that stays", () => {
  let database: TestDatabase;
  let snapshots: Snapshots;
  const loads: Loads = { count: 0, hold: undefined };

  beforeAll(async () => {
    database = await createTestDatabase();
    const configuration = counted(configurationStore(database.sql), loads);
    await featureStore(database.sql).create("production", feature("first"), author);
    // Polls too seldom to be what brings the news.
    snapshots = await openSnapshots({ configuration, strategies, clock, pollMs: 3_600_000 });
  });
  afterAll(async () => {
    await snapshots.close();
    await database.close();
  });

  test("has loaded every environment when it resolves", () => {
    expect(snapshots).toMatchObject({ ready: true, stale: false });
    expect(keys(snapshots)).toEqual(["first"]);
    expect(snapshots.get("nowhere")).toBeUndefined();
  });

  test("refresh() shows a writer its own write at once, also in a new environment", async () => {
    await featureStore(database.sql).create("production", feature("second"), author);
    await snapshots.refresh("production");
    expect(keys(snapshots)).toEqual(["first", "second"]);
    await configurationStore(database.sql).createEnvironment("staging");
    await snapshots.refresh("staging");
    expect(keys(snapshots, "staging")).toEqual([]);
  });

  test("hears of what other servers write", async () => {
    const other = openSql(database.url, { max: 1 });
    await featureStore(other).create("production", feature("third"), author);
    await configurationStore(other).createEnvironment("testing");
    await featureStore(other).create("testing", feature("tried"), author);
    await other.end();
    await waitUntil(() => keys(snapshots).length === 3 && keys(snapshots, "testing").length === 1);
  });

  test("swaps whole snapshots: one that was taken does not change", async () => {
    const taken = snapshots.get("production");
    const before = taken?.revision;
    await featureStore(database.sql).create("production", feature("fourth"), author);
    await snapshots.refresh("production");
    expect(snapshots.get("production")).not.toBe(taken);
    expect(taken?.revision).toBe(before);
    expect(taken?.features.has("fourth")).toBe(false);
  });

  test("loads twice for all changes that come while it loads, and ends with the last", async () => {
    const other = openSql(database.url, { max: 5 });
    const store = featureStore(other);
    const heard: string[] = [];
    await other.listen("configuration", (environment) => heard.push(environment));
    const held = Promise.withResolvers<void>();
    loads.hold = held.promise;
    loads.count = 0;
    await Promise.all(Array.from({ length: 30 }, (_, n) => store.create("production", feature(`burst${n}`), author)));
    await waitUntil(() => heard.length === 30 && loads.count === 1);
    loads.hold = undefined;
    held.resolve();
    await waitUntil(() => keys(snapshots).length === 34);
    // The snapshots' own connection may hear a little later than ours.
    expect(loads.count).toBeLessThan(6);
    await other.end();
  });
});

describe("openSnapshots() on a database that goes and comes back", () => {
  let directory: string;
  let database: Database;
  let sql: Sql;
  let snapshots: Snapshots;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "aff-snapshots-"));
    database = await start();
    await migrate(database.url);
    sql = openSql(database.url);
    await featureStore(sql).create("production", feature("first"), author);
  });
  afterAll(async () => {
    await snapshots.close();
    await sql.end({ timeout: 1 });
    await database.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test("starts without it, then catches up by itself", async () => {
    await database.stop();
    const configuration = configurationStore(sql);
    snapshots = await openSnapshots({ configuration, strategies, clock, pollMs: 3_600_000 });
    expect(snapshots).toMatchObject({ ready: false, stale: true });
    expect(snapshots.get("production")).toBeUndefined();
    database = await start();
    await waitUntil(() => snapshots.ready);
    expect(snapshots.stale).toBe(false);
    expect(keys(snapshots)).toEqual(["first"]);
    await hearsOf("second");
  });

  test("serves the last snapshot while it is gone, says so, and hears of everything after", async () => {
    const last = snapshots.get("production");
    await database.stop();
    await waitUntil(() => snapshots.stale);
    expect(snapshots.get("production")).toBe(last);
    expect(snapshots.ready).toBe(true);
    // A refresh without a database does no harm.
    await snapshots.refresh("production");
    expect(snapshots.get("production")).toBe(last);

    database = await start();
    const other = openSql(database.url, { max: 1 });
    await featureStore(other).create("production", feature("meanwhile"), author);
    await other.end();
    await waitUntil(() => !snapshots.stale && keys(snapshots).includes("meanwhile"));
    await hearsOf("afterwards");
  });

  test("notices a database that no longer answers, without a connection being lost", async () => {
    // A lock that nobody gets past is what a hung server looks like from here.
    const other = openSql(database.url, { max: 1 });
    const held = Promise.withResolvers<void>();
    const locking = other.begin(async (tx) => {
      await tx`lock table environments in access exclusive mode`;
      await held.promise;
    });
    await waitUntil(async () => (await sql`select from pg_locks where mode = 'AccessExclusiveLock'`).length > 0);
    // Losing the LISTEN connection makes it look at the revisions.
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`;
    await waitUntil(() => snapshots.stale);
    held.resolve();
    await locking;
    await waitUntil(() => !snapshots.stale);
    await other.end();
  });

  /** Through a notification: the poll comes once an hour. */
  async function hearsOf(key: string): Promise<void> {
    const other = openSql(database.url, { max: 1 });
    await featureStore(other).create("production", feature(key), author);
    await other.end();
    await waitUntil(() => keys(snapshots).includes(key));
  }

  function start(): Promise<Database> {
    return openDatabase({ dataDir: directory, settings: { fsync: "off" } });
  }
});

function keys(snapshots: Snapshots, environment = "production"): readonly string[] {
  return [...(snapshots.get(environment)?.features.keys() ?? [])];
}

interface Loads {
  count: number;
  /** Loads do not end before it. */
  hold: Promise<void> | undefined;
}

function counted(store: ConfigurationStore, loads: Loads): ConfigurationStore {
  return {
    ...store,
    async load(environment) {
      loads.count++;
      const read = await store.load(environment);
      await loads.hold;
      return read;
    },
  };
}

function feature(key: string): FeatureDefinition {
  return {
    key,
    name: key,
    description: null,
    type: "boolean",
    variants: { on: true, off: false },
    enabled: true,
    off_variant: "off",
    steps: [],
    fallback_variant: "off",
    objective: null,
    tags: [],
    owner: null,
    expires_at: null,
  };
}
