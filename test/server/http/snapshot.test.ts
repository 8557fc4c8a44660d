import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ settings: AUTH });
});
afterAll(() => server.close());

const AUTH = {
  AUTH_ENABLED: "true",
  AUTH_JWT_SECRET: "a secret of at least thirty-two characters",
  AUTH_ISSUER_KEY: "an issuer key of sixteen",
};
const authorized = async () => {
  const { body } = await server.call("POST", "/auth/token", { issuer_key: AUTH.AUTH_ISSUER_KEY });
  return { Authorization: `Bearer ${body.access_token}` };
};

test("GET /snapshot needs a token", async () => {
  expect((await server.call("GET", "/snapshot")).status).toBe(401);
});

test("GET /snapshot holds all that decisions are made from, and nothing that was switched off", async () => {
  const headers = await authorized();
  const segment = { key: "beta", name: "Beta", condition: { attribute: "/plan", op: "equals", value: "pro" } };
  await server.call("POST", "/segments", segment, headers);
  await server.call("POST", "/features", { key: "checkout", name: "Checkout", rollout_percentage: 30 }, headers);
  const experiment = { name: "Test", feature_key: "checkout", primary_metric_event: "buy" };
  await server.call("POST", "/experiments", experiment, headers);
  await server.call("POST", "/features", { key: "offer", name: "Offer" }, headers);
  await server.call("POST", "/experiments", { ...experiment, feature_key: "offer", enabled: false }, headers);

  const { status, body, headers: answered } = await server.call("GET", "/snapshot", undefined, headers);
  expect(status).toBe(200);
  expect(answered.get("cache-control")).toBe("private, no-cache");
  expect(body).toMatchObject({
    contract: 1,
    etag: answered.get("etag"),
    environment: "production",
    revision: server.services.snapshots.get("production")?.revision,
    segments: [segment],
    models: [],
    experiments: [{ feature_key: "checkout", enabled: true }],
  });
  expect(body.features).toEqual(
    [...(server.services.snapshots.get("production")?.features.values() ?? [])].map(({ definition }) => definition),
  );
});

test("GET /snapshot answers 304 while nothing has changed, and 200 after that", async () => {
  const headers = await authorized();
  const { headers: first } = await server.call("GET", "/snapshot", undefined, headers);
  const conditional = { ...headers, "If-None-Match": first.get("etag") ?? "" };
  expect((await server.call("GET", "/snapshot", undefined, conditional)).status).toBe(304);
  await server.call("POST", "/features", { key: "news", name: "News" }, headers);
  const changed = await server.call("GET", "/snapshot", undefined, conditional);
  expect(changed.status).toBe(200);
  expect(changed.headers.get("etag")).not.toBe(first.get("etag"));
});

test("GET /snapshot asks the database when the caller has heard of more than this server has", async () => {
  const headers = await authorized();
  const { revision, features } = (await server.call("GET", "/snapshot", undefined, headers)).body;
  // As another server would: this one is not told.
  await server.database.sql`
    update features set definition = jsonb_set(definition::jsonb, '{name}', '"Renamed"'), version = version + 1
    where key = 'news'`;
  await server.database.sql`update environments set revision = revision + 1 where key = 'production'`;
  const { body } = await server.call("GET", `/snapshot?revision=${revision + 1}`, undefined, headers);
  expect(body.revision).toBe(revision + 1);
  expect(body.features.at(-1)).toMatchObject({ key: "news", name: "Renamed" });
  expect(body.features.slice(0, -1)).toEqual(features.slice(0, -1));
  expect((await server.call("GET", "/snapshot?revision=x", undefined, headers)).status).toBe(422);
});
