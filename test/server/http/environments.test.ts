import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test("X-Environment picks one; each has its own features", async () => {
  const made = await server.call("POST", "/environments", { key: "staging" });
  expect(made).toMatchObject({ status: 201, body: { key: "staging" } });
  await server.call("POST", "/features", { name: "Only there", key: "only_there" }, { "X-Environment": "staging" });
  expect((await server.call("GET", "/features")).body).toEqual([]);
  const there = await server.call("GET", "/features/only_there", undefined, { "X-Environment": "staging" });
  expect(there.body).toMatchObject({ environment: "staging" });
  expect((await server.call("GET", "/environments")).body.map(({ key }: { key: string }) => key)).toEqual([
    "production",
    "staging",
  ]);
});

test("an unknown one is 404 and names those there are, on the hot path too", async () => {
  for (const [method, path, body] of [
    ["GET", "/features", undefined],
    ["POST", "/evaluate", { feature_key: "any", user: { user_id: "u" } }],
  ] as const) {
    const answer = await server.call(method, path, body, { "X-Environment": "nowhere" });
    expect(answer).toMatchObject({ status: 404, body: { detail: { code: "unknown_environment" } } });
    expect(answer.body.detail.message).toContain("production");
  }
});

test("one that another server made is found", async () => {
  await server.database.sql`insert into environments (key) values ('elsewhere')`;
  const answer = await server.call("GET", "/features", undefined, { "X-Environment": "elsewhere" });
  expect(answer).toMatchObject({ status: 200, body: [] });
});

test("a taken key is 409, a strange one 422", async () => {
  expect((await server.call("POST", "/environments", { key: "production" })).status).toBe(409);
  const { status, body } = await server.call("POST", "/environments", { key: "Staging!" });
  expect([status, body.detail.field]).toEqual([422, "key"]);
});
