import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test("a preview says how many stored decisions a write would change, and which way, and stores nothing", async () => {
  await server.client.createFeature({ key: "half", name: "Half", rollout_percentage: 50 });
  const users = Array.from({ length: 200 }, (_, i) => ({ user_id: `user-${i}` }));
  const served = await server.client.evaluateUsers("half", users);
  const off = served.filter(({ enabled }) => !enabled).length;
  await server.services.observer.flush();
  const ask = async (write: object) =>
    (await server.call("POST", "/features/half/preview", { key: "half", name: "Half", ...write })).body;
  expect(await ask({ rollout_percentage: 50 })).toEqual({
    ...{ decisions: 200, changed: 0, moves: [], without_attributes: 200 },
  });
  expect(await ask({ rollout_percentage: 100 })).toMatchObject({
    changed: off,
    moves: [{ from: "off", to: "on", decisions: off }],
  });
  expect(await ask({ enabled: false })).toMatchObject({ moves: [{ from: "on", to: "off", decisions: 200 - off }] });
  expect(await server.client.getFeature("half")).toMatchObject({ version: 1, rollout_percentage: 50 });
});

test("where attributes were kept, rules see them", async () => {
  await server.client.createFeature({ key: "learns", name: "Learns", rollout_percentage: 0, ml_enabled: true });
  const users = Array.from({ length: 30 }, (_, i) => ({ user_id: `user-${i}`, plan: i % 3 === 0 ? "pro" : "free" }));
  await server.client.evaluateUsers("learns", users);
  await server.services.observer.flush();
  const rules = [{ when: { attribute: "/plan", op: "equals", value: "pro" }, variant: "on" }];
  const { body } = await server.call("POST", "/features/learns/preview", {
    ...{ key: "learns", name: "Learns" },
    steps: [{ id: "rules", strategy: "rule-filters", config: { rules } }],
  });
  expect(body).toEqual({
    ...{ decisions: 30, changed: 10, moves: [{ from: "off", to: "on", decisions: 10 }], without_attributes: 0 },
  });
});

test("a write that would be refused is refused here too", async () => {
  const steps = [{ id: "rules", strategy: "nothing-like-it", config: {} }];
  const write = { key: "half", name: "Half", steps };
  const put = await server.call("PUT", "/features/half", write);
  const preview = await server.call("POST", "/features/half/preview", write);
  expect([preview.status, preview.body]).toEqual([422, put.body]);
  expect((await server.call("POST", "/features/nothing/preview", { key: "nothing", name: "Nothing" })).status).toBe(
    404,
  );
});
