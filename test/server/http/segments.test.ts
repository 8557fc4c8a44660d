import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const segment = { key: "beta", name: "Beta users", condition: { attribute: "/plan", op: "in", value: ["beta"] } };

test("segments are created, listed, read, replaced and deleted", async () => {
  const made = await server.call("POST", "/segments", segment);
  expect(made).toMatchObject({ status: 201, body: { ...segment, version: 1 } });
  expect(made.headers.get("etag")).toBe('"1"');
  expect((await server.call("POST", "/segments", segment)).status).toBe(409);
  expect((await server.call("GET", "/segments")).body).toEqual([made.body]);
  expect((await server.call("GET", "/segments/beta")).body).toEqual(made.body);

  const stale = await server.call("PUT", "/segments/beta", segment, { "If-Match": '"7"' });
  expect(stale).toMatchObject({ status: 412, body: { detail: { code: "stale_version" } } });
  // What was read can be written back.
  const put = await server.call("PUT", "/segments/beta", { ...made.body, name: "Beta" }, { "If-Match": '"1"' });
  expect(put).toMatchObject({ status: 200, body: { name: "Beta", version: 2 } });
  const renamed = await server.call("PUT", "/segments/beta", { ...segment, key: "gamma" });
  expect(renamed).toMatchObject({ status: 422, body: { detail: { code: "key_is_fixed", field: "key" } } });

  expect((await server.call("DELETE", "/segments/beta")).status).toBe(204);
  expect((await server.call("GET", "/segments/beta")).status).toBe(404);
  expect((await server.call("DELETE", "/segments/beta")).status).toBe(404);
});

test("a segment decides in every feature that names it, and cannot be deleted while one does", async () => {
  await server.call("POST", "/segments", segment);
  await server.client.createFeature({
    name: "For beta users",
    key: "for_beta",
    steps: [
      {
        id: "beta",
        strategy: "hash-bucketing",
        when: { segment: "beta" },
        config: { arms: [{ variant: "on", weight: 100 }] },
      },
    ],
  });
  expect((await server.client.evaluate("for_beta", { user_id: "u", plan: "beta" })).enabled).toBe(true);
  expect((await server.client.evaluate("for_beta", { user_id: "u", plan: "free" })).enabled).toBe(false);
  await server.call("PUT", "/segments/beta", {
    ...segment,
    condition: { attribute: "/plan", op: "in", value: ["free"] },
  });
  expect((await server.client.evaluate("for_beta", { user_id: "u", plan: "free" })).enabled).toBe(true);

  const refused = await server.call("DELETE", "/segments/beta");
  expect(refused.status).toBe(422);
  expect(refused.body.detail.message).toContain("beta");
});

test("a condition that is not one is refused with its place", async () => {
  const sent = { ...segment, key: "broken", condition: { all: [{ attribute: "/plan", op: "resembles", value: 1 }] } };
  const { status, body } = await server.call("POST", "/segments", sent);
  expect([status, body.detail.field]).toEqual([422, "condition.all.0.op"]);
});

test("a gate in a segment keeps its seed", async () => {
  const sent = { key: "tenth", name: "A tenth", condition: { gate: { percentage: 10 } } };
  const { body } = await server.call("POST", "/segments", sent);
  expect(body.condition.gate).toMatchObject({
    percentage: 10,
    unit: ["user_id"],
    bucketing: { seed: "segment:tenth#gate" },
  });
});
