import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ settings: { PLUGINS: "./test/support/unsound-strategy.ts" } });
});
afterAll(() => server.close());

test("a step that fails is shown to fail, and then to rest", async () => {
  const steps = [
    { id: "unsound", strategy: "unsound", config: { does: "throw" } },
    { id: "rollout", strategy: "hash-bucketing", config: { arms: [{ variant: "on", weight: 100 }] } },
  ];
  const created = await server.call("POST", "/features", { key: "shaky", name: "Shaky", steps });
  expect(created.status).toBe(201);
  const stateOf = async () => (await server.call("GET", "/system")).body.steps[0];
  expect(await stateOf()).toMatchObject({ feature_key: "shaky", step: "unsound", state: "ok", failures: 0 });
  await server.client.evaluate("shaky", { user_id: "ada" });
  expect(await stateOf()).toMatchObject({ state: "failing", failures: 1 });
  for (let i = 0; i < 5; i++) await server.client.evaluate("shaky", { user_id: "ada" });
  expect(await stateOf()).toMatchObject({ state: "resting", failures: 5 });
});

test("the system's facts are those of this database and process", async () => {
  const { body } = await server.call("GET", "/system");
  expect(body).toMatchObject({
    runtime: `node ${process.versions.node}`,
    stale: false,
    auth: false,
    jobs: { running: 0, failed: 0 },
    workers: 0,
    environment: "production",
  });
  expect(body.database.version).toMatch(/^PostgreSQL \d+/);
  expect(body.database.migration).toMatch(/^\d{4}_/);
});

test("strategies have the JSON Schema of their settings, plugins too, and operators their words", async () => {
  const { body } = await server.call("GET", "/strategies");
  const of = (id: string) => body.strategies.find((strategy: { id: string }) => strategy.id === id);
  expect(of("unsound").config.properties.does.enum).toContain("throw");
  expect(of("ml-model")).toMatchObject({ learns: true, config: { properties: { mode: { default: "uplift" } } } });
  expect(of("hash-bucketing").learns).toBe(false);
  const names = body.operators.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["equals", "semver_gte", "has_any", "exists"]));
  const operator = (wanted: string) => body.operators.find(({ name }: { name: string }) => name === wanted);
  expect(operator("exists")).toMatchObject({ value: null, takes: null });
  expect(operator("semver_gte").takes).toBe("text");
  expect(body.objective.properties.holdout).toMatchObject({ default: 0.05, maximum: 0.5 });
});

test("a user is what the events say, and one without events is empty", async () => {
  const event = { user_id: "ada/é", feature_key: "shaky", event_type: "buy", properties: { price: 4 } };
  await server.client.storeEvent(event);
  await server.client.storeEvent(event);
  const { body } = await server.call("GET", `/users/${encodeURIComponent("ada/é")}`);
  expect(body).toMatchObject({ user_id: "ada/é", profile: [{ event_type: "buy", count: 2, value_sum: 8 }] });
  expect((await server.call("GET", "/users/nobody")).body).toEqual({ user_id: "nobody", profile: [] });
});
