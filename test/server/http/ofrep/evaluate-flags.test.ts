import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../../../../core/ports.ts";
import { readConfig } from "../../../../server/config.ts";
import { assemble } from "../../../../server/container.ts";
import { createApp } from "../../../../server/http/app.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";

const AUTH = {
  AUTH_ENABLED: "true",
  AUTH_JWT_SECRET: "a secret of at least thirty-two characters",
  AUTH_ISSUER_KEY: "an issuer key of sixteen",
};
const path = "/ofrep/v1/evaluate/flags";
const context = { targetingKey: "ada", plan: "pro" };

let server: TestServer;
let time = Date.UTC(2026, 10, 22, 12);
const clock: Clock = { now: () => time };
beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock }) });
  await server.client.createFeature({ name: "For all", key: "for-all", rollout_percentage: 100 });
  await server.client.createFeature({ name: "For some", key: "for-some", rollout_percentage: 40 });
});
afterAll(() => server.close());

const ask = (body: unknown, headers?: Record<string, string>, query = "") =>
  server.call("POST", path + query, body, headers);
const etagFor = async (body: unknown) => (await ask(body)).headers.get("etag") ?? "";

test("POST /ofrep/v1/evaluate/flags answers every flag, what the whole belongs to and where to listen", async () => {
  const { status, body } = await ask({ context });
  expect(status).toBe(200);
  const metadata = { contextId: "ada", flagSetId: "production" };
  expect(body).toEqual({
    flags: [
      { key: "for-all", reason: "STATIC", variant: "on", value: true, metadata: { ...metadata, version: "1" } },
      expect.objectContaining({ key: "for-some", reason: "SPLIT" }),
    ],
    metadata: { ...metadata, version: expect.stringMatching(/^\d+$/) },
    eventStreams: [
      {
        type: "sse",
        endpoint: {
          requestUri: expect.stringMatching(/^\/ofrep\/v1\/streams\/production\?since=\d+&expires=\d+&signature=/),
        },
        inactivityDelaySec: 120,
      },
    ],
  });
});

test("a flag that lacks a targeting key fails alone", async () => {
  const { status, body } = await ask({});
  expect(status).toBe(200);
  expect(body.flags).toMatchObject([
    { key: "for-all", value: true },
    { key: "for-some", errorCode: "TARGETING_KEY_MISSING" },
  ]);
  expect(body.metadata).toEqual({ flagSetId: "production", version: expect.any(String) });
});

test.each([
  ["cut off", "{", "PARSE_ERROR"],
  ["with a context that is text", { context: "ada" }, "INVALID_CONTEXT"],
])("a body that is %s: 400 without a key", async (_, sent, errorCode) => {
  expect(await ask(sent)).toMatchObject({ status: 400, body: { errorCode } });
  expect((await ask(sent)).body).not.toHaveProperty("key");
});

describe("If-None-Match", () => {
  test("with the answer's ETag: 304 without a body, and nothing is decided", async () => {
    const etag = await etagFor({ context });
    const counted = () =>
      Object.values(server.services.metrics.snapshot().counters).reduce((sum, count) => sum + count, 0);
    const before = counted();
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const answer = await ask({ context }, { "If-None-Match": header });
      expect([answer.status, answer.body, answer.headers.get("etag")]).toEqual([304, "", etag]);
    }
    expect(counted()).toBe(before);
  });

  test.each([
    ["another context", { context: { ...context, plan: "free" } }],
    ["another user", { context: { ...context, targetingKey: "bob" } }],
    ["no context", {}],
  ])("of %s: 200", async (_, other) => {
    expect((await ask({ context }, { "If-None-Match": await etagFor(other) })).status).toBe(200);
  });

  test("of another environment: 200", async () => {
    await server.call("POST", "/environments", { key: "staging" });
    const etag = await etagFor({ context });
    expect((await ask({ context }, { "If-None-Match": etag, "X-Environment": "staging" })).status).toBe(200);
  });

  test("after a change: 200 with another ETag", async () => {
    const etag = await etagFor({ context });
    await server.client.updateFeature("for-some", { name: "For more", key: "for-some", rollout_percentage: 50 });
    const changed = await ask({ context }, { "If-None-Match": etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
  });

  test("of the hour before: 200, so that no client keeps an address that expires", async () => {
    const etag = await etagFor({ context });
    time += 3_600_000;
    expect((await ask({ context }, { "If-None-Match": etag })).status).toBe(200);
  });

  test("is the same on every server of the database, which share the signing key too", async () => {
    const other = await assemble(readConfig({}), server.database.url);
    const app = createApp({ ...other.services, clock });
    const request = new Request(`http://localhost${path}`, { method: "POST", body: JSON.stringify({ context }) });
    const answer = await app.fetch(request);
    const ours = await ask({ context });
    expect([answer.headers.get("etag"), await answer.json()]).toEqual([ours.headers.get("etag"), ours.body]);
    app.close?.();
    await other.close();
  });
});

test("flagConfigEtag of a revision this server has not heard of makes it look", async () => {
  const deaf = await startTestServer();
  const change = (percentage: number) =>
    deaf.client.createFeature({ name: "New", key: `new-${percentage}`, rollout_percentage: percentage });
  const keys = async (query = "") =>
    (await deaf.call("POST", path + query, { context })).body.flags.map(({ key }: { key: string }) => key);
  await change(1);
  const revision = deaf.services.snapshots.get("production")?.revision ?? 0;
  expect(await keys()).toEqual(["new-1"]);
  // Past the store, so that nobody is told.
  await deaf.database.sql`update environments set revision = revision + 1 where key = 'production'`;
  // A revision nobody has written, another environment's, and nonsense: nothing to load.
  for (const named of ["nowhere.99", "x", `production.${revision}`])
    expect(await keys(`?flagConfigEtag=${encodeURIComponent(`"${named}"`)}`)).toEqual(["new-1"]);
  expect(deaf.services.snapshots.get("production")?.revision).toBe(revision);
  await keys(`?flagConfigEtag=${encodeURIComponent(`"production.${revision + 1}"`)}&flagConfigLastModified=1771622898`);
  expect(deaf.services.snapshots.get("production")?.revision).toBe(revision + 1);
  await deaf.close();
});

describe("where access is checked", () => {
  let guarded: TestServer;
  const token = async (environment?: string) => {
    const asked = { issuer_key: AUTH.AUTH_ISSUER_KEY, environment };
    return (await guarded.call("POST", "/auth/token", asked)).body.access_token as string;
  };
  beforeAll(async () => {
    guarded = await startTestServer({ settings: AUTH });
  });
  afterAll(() => guarded.close());

  test.each([path, `${path}/a%2Fflag`])("%s is 401 without a token", async (asked) => {
    const { status, headers, body } = await guarded.call("POST", asked, { context });
    expect([status, headers.get("www-authenticate"), body.errorCode]).toEqual([401, "Bearer", "GENERAL"]);
    expect(body.key).toBe(asked === path ? undefined : "a/flag");
  });

  test("takes the token as Authorization and as X-API-Key", async () => {
    const jwt = await token();
    for (const headers of [{ Authorization: `Bearer ${jwt}` }, { "X-API-Key": jwt }])
      expect((await guarded.call("POST", path, { context }, headers as Record<string, string>)).status).toBe(200);
    expect((await guarded.call("POST", path, { context }, { "X-API-Key": "made up" })).status).toBe(401);
  });

  test("a token for one environment is 403 for another", async () => {
    const headers = { Authorization: `Bearer ${await token("production")}`, "X-Environment": "staging" };
    expect(await guarded.call("POST", path, { context }, headers)).toMatchObject({
      status: 403,
      body: { errorCode: "GENERAL" },
    });
  });
});

test("429 with Retry-After when too many wait for the events of their users", async () => {
  const waiting: (() => void)[] = [];
  const load = () => new Promise<undefined>((resolve) => waiting.push(() => resolve(undefined)));
  const slow = await startTestServer({
    override: (services) => ({ ...services, profiles: { ...services.profiles, peek: () => undefined, load } }),
  });
  await slow.client.createFeature({ name: "With a model", key: "with-model", ml_enabled: true });
  const app = createApp({ ...slow.services });
  const bulk = () =>
    app.fetch(new Request(`http://localhost${path}`, { method: "POST", body: JSON.stringify({ context }) }));
  const held = Array.from({ length: 200 }, bulk);
  while (waiting.length < 200) await Promise.resolve();
  const refused = await bulk();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  for (const release of waiting.splice(0)) release();
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual(Array(200).fill(200));
  const again = bulk();
  while (waiting.length < 1) await Promise.resolve();
  for (const release of waiting) release();
  expect((await again).status).toBe(200);
  app.close?.();
  await slow.close();
});
