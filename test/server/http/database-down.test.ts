import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openSql } from "../../../server/postgres/sql.ts";
import { exampleRequest, sendRequest } from "../../support/api-request.ts";
import { databaseUrl } from "../../support/database.ts";
import { documentedApi } from "../../support/documented-api.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.createFeature({ name: "Kept", key: "kept", rollout_percentage: 100 });
  await shut(server.database.url);
});
afterAll(() => server.close());

test("without PostgreSQL, routes that need it are 503 database_unavailable with Retry-After", async () => {
  for (const [method, path, body] of [
    ["GET", "/features", undefined],
    ["POST", "/features", { name: "New", key: "new_one" }],
    ["GET", "/model/status", undefined],
    ["POST", "/train/async", {}],
  ] as const) {
    const answer = await server.call(method, path, body);
    expect([path, answer.status]).toEqual([path, 503]);
    expect(answer.body.detail.code).toBe("database_unavailable");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
});

test("without PostgreSQL, decisions go on from the last snapshot, stale, and readiness says degraded", async () => {
  await vi.waitFor(
    async () =>
      expect(await server.call("GET", "/health/ready")).toMatchObject({
        status: 200,
        body: { status: "degraded", database: "unreachable", snapshots: { ready: true, stale: true } },
      }),
    { timeout: 20_000, interval: 100 },
  );
  expect(await server.client.evaluate("kept", { user_id: "u" })).toMatchObject({ enabled: true, reason: "STALE" });
  expect((await server.call("GET", "/health")).status).toBe(200);
});

test("without PostgreSQL, every operation answers as its document says, and none by 500", async () => {
  const api = documentedApi((await server.call("GET", "/openapi.json")).body);
  for (const operation of api.operations) {
    const answer = await sendRequest(
      server.url,
      operation.method,
      exampleRequest(api, operation, { feature: ["kept"] }),
    );
    expect([operation.name, ...api.misfitsOf(operation, answer)]).toEqual([operation.name]);
    expect([operation.name, answer.status]).not.toEqual([operation.name, 500]);
  }
});

/** Ends the database's connections and takes no more. */
async function shut(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = openSql(databaseUrl(url, "postgres"), { max: 1 });
  await admin`alter database ${admin(name)} with allow_connections false`;
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  await admin.end();
}

test("without PostgreSQL, /system says so instead of failing", async () => {
  const { status, body } = await server.call("GET", "/system");
  expect([status, body.stale, body.database, body.jobs, body.workers]).toEqual([200, true, null, null, null]);
  expect(body.steps).toMatchObject([{ feature_key: "kept", state: "ok" }]);
});
