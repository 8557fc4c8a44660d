import { afterAll, beforeAll, expect, test } from "vitest";
import type { TrainedVersion } from "../../../core/ports.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const { models } = server.services;
  await models.save("production", trained("Live: it beats plain rollout."), "live");
  await models.save("production", trained("Kept as a candidate: it does not beat plain rollout."), false);
});
afterAll(() => server.close());

test("POST /models/{version}/promote refuses what was not found better, with the verdict", async () => {
  const { status, body } = await server.call("POST", "/models/checkout@2/promote");
  expect(status).toBe(409);
  expect(body.detail).toMatchObject({ code: "not_better", message: expect.stringContaining("does not beat plain") });
  expect((await server.call("GET", "/model/status?feature_key=checkout")).body.model_version).toBe("checkout@1");
});

test("POST /models/{version}/promote takes force only with a reason", async () => {
  for (const body of [{ force: true }, { force: true, reason: "  " }]) {
    const refused = await server.call("POST", "/models/checkout@2/promote", body);
    expect([refused.status, refused.body.detail.field]).toEqual([422, "reason"]);
  }
  const body = { force: true, reason: "The trial was run elsewhere" };
  const forced = await server.call("POST", "/models/checkout@2/promote", body, { "X-Actor": "ada" });
  expect(forced.status).toBe(200);
  expect(forced.body).toMatchObject({
    model_version: "checkout@2",
    status: "live",
    target: "uplift",
    traffic: 1,
    health: "fresh",
    health_detail: null,
    checked_at: null,
    shadow: null,
  });
  expect(forced.body).not.toHaveProperty("artifact");
  const log = await server.database.sql`select actor, action, subject, reason from audit_log`;
  expect([...log]).toEqual([
    { actor: "ada", action: "model.promote.forced", subject: "checkout@2", reason: body.reason },
  ]);
});

test("POST /models/{version}/promote answers 404 for a version there is not, and 409 for one that failed", async () => {
  expect((await server.call("POST", "/models/checkout@9/promote")).status).toBe(404);
  await server.services.models.save("production", trained("Failed."), false);
  await server.database.sql`update models set status = 'failed' where version = 'checkout@3'`;
  const { status, body } = await server.call("POST", "/models/checkout@3/promote", { force: true, reason: "why not" });
  expect([status, body.detail.code]).toEqual([409, "conflict"]);
});

test("GET /model/status says how the model is, and who takes over from it", async () => {
  await server.database.sql`
    update models set health = 'warning', health_detail = 'The scores drift' where version = 'checkout@2'`;
  const { version } = await server.services.models.save("production", trained("Better."), false);
  const status = async () => (await server.call("GET", "/model/status?feature_key=checkout")).body;
  expect(await status()).toMatchObject({
    model_version: "checkout@2",
    health: "warning",
    health_detail: "The scores drift",
    traffic: 1,
    challenger: null,
  });
  await server.database.sql`update models set traffic = 0.1 where version = ${version}`;
  expect((await status()).challenger).toEqual({ version, traffic: 0.1 });
  // It has passed the gate.
  expect((await server.call("POST", `/models/${version}/promote`)).body).toMatchObject({ status: "live", traffic: 1 });
  expect(await status()).toMatchObject({ model_version: version, health: "fresh", challenger: null });
  expect((await server.call("GET", "/model/status?feature_key=other")).body).toMatchObject({
    status: "not_trained",
    health: null,
    traffic: null,
    challenger: null,
  });
});

function trained(verdict: string): TrainedVersion {
  return {
    feature_key: "checkout",
    learner: "logistic",
    trained_at: "2026-01-01T00:00:00.000Z",
    artifact: { target: "uplift" },
    hash: "00ff",
    seed: 7,
    metrics: {},
    process: {},
    verdict,
    job_id: null,
  };
}
