import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConfigurationStore, Conflict, Invalid } from "../../../core/ports.ts";
import { configurationStore } from "../../../server/postgres/configuration.ts";
import { segmentStore } from "../../../server/postgres/segments.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let store: ConfigurationStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = configurationStore(database.sql);
});
afterAll(() => database.close());

test("createEnvironment() adds an empty one, once, under a sound name", async () => {
  await store.createEnvironment("staging");
  expect(await store.environments()).toMatchObject([{ key: "production" }, { key: "staging", revision: 1 }]);
  await expect(store.createEnvironment("staging")).rejects.toThrow(Conflict);
  await expect(store.createEnvironment("Not a key")).rejects.toThrow(Invalid);
  expect(await store.load("staging")).toEqual({
    environment: "staging",
    revision: 1,
    features: [],
    segments: [],
    models: [],
    experiments: [],
  });
});

test("load() reads only what is served, and refuses an unknown environment", async () => {
  await segmentStore(database.sql).create("production", { key: "all", name: "All", condition: true });
  for (const [number, status] of [
    [1, "retired"],
    [2, "live"],
    [3, "candidate"],
  ] as const)
    await database.sql`
      insert into models (environment, version, number, status, learner, trained_at, artifact, hash, seed, metrics, process, verdict)
      values ('production', ${`global@${number}`}, ${number}, ${status}, 'logistic', now(), '{"b":1,"a":2}', '', 1, '{}', '{}', '')`;
  const loaded = await store.load("production");
  expect(loaded.segments).toMatchObject([{ key: "all", condition: true }]);
  expect(loaded.models).toMatchObject([{ version: "global@2", status: "live", artifact: { b: 1, a: 2 } }]);
  expect(loaded.revision).toBe(2);
  await expect(store.load("nowhere")).rejects.toMatchObject({ code: "unknown_environment" });
});

test("listen() hears of changes, and says null after its connection was lost", async () => {
  const heard: (string | null)[] = [];
  const listener = await store.listen((environment) => heard.push(environment));
  const segments = segmentStore(database.sql);
  await segments.create("production", { key: "new", name: "New", condition: true });
  await expect.poll(() => heard).toEqual(["production"]);
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`;
  await expect.poll(() => heard).toContain(null);
  await segments.remove("production", "new");
  await expect.poll(() => heard.at(-1)).toBe("production");
  await listener.close();
});
