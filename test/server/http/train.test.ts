import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { answerError } from "../../../server/http/errors.ts";
import type { App, Env } from "../../../server/http/route.ts";
import { trainRoutes } from "../../../server/http/routes/train.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };

/** Without a worker; training that succeeds is in test/contract/training.test.ts. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** The routes alone, on the server's services, with less patience. */
function impatient(patience: { startTimeout: number; endTimeout?: number }): App {
  const app: App = new OpenAPIHono<Env>();
  app.onError(answerError);
  app.use(async (c, next) => {
    c.set("environment", "production");
    await next();
  });
  trainRoutes(app, server.services, patience);
  return app;
}

async function train(app: App) {
  const response = await app.request("/train", { method: "POST", body: "{}" });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

test("POST /train without a worker is 503 no_worker, says how to start one, and keeps the job", async () => {
  const { status, headers, body } = await train(impatient({ startTimeout: 50 }));
  expect([status, body.detail.code]).toEqual([503, "no_worker"]);
  expect(body.detail.message).toContain("npm run work");
  expect(headers.get("retry-after")).toBe("30");
  const id = /[\da-f-]{36}/.exec(body.detail.message)?.[0];
  expect((await server.call("GET", `/train/jobs/${id}`)).body.status).toBe("queued");
});

test("a training keeps who asked for it and why, by header or in the body", async () => {
  await cancelOpen();
  const author = async (headers: Record<string, string>, body: object) => {
    const { status, body: queued } = await server.call("POST", "/train/async", body, headers);
    expect(status).toBe(202);
    const [row] = await server.database.sql`select request from training_jobs where job_id = ${queued.job_id}`;
    await server.call("DELETE", `/train/jobs/${queued.job_id}`);
    return row?.request.author;
  };
  const headers = { "x-actor": "ada", "x-reason": "New prices" };
  expect(await author(headers, {})).toEqual({ actor: "ada", reason: "New prices" });
  expect(await author(headers, { reason: "Because" })).toEqual({ actor: "ada", reason: "Because" });
  expect(await author({}, {})).toEqual({ actor: "anonymous" });
});

test("POST /train is 504 when the training takes longer than it waits", async () => {
  const { body } = await server.call("POST", "/train/async");
  await server.database.sql`update training_jobs set status = 'running' where job_id = ${body.job_id}`;
  const answer = await train(impatient({ startTimeout: 50, endTimeout: 50 }));
  expect([answer.status, answer.body.detail.code]).toEqual([504, "still_running"]);
  await server.database.sql`update training_jobs set status = 'queued' where job_id = ${body.job_id}`;
});

test("POST /train is 409 when its job is cancelled meanwhile, and 500 without internals when it failed", async () => {
  await cancelOpen();
  const waiting = server.call("POST", "/train");
  await server.call("DELETE", `/train/jobs/${await queuedJob()}`);
  expect(await waiting).toMatchObject({ status: 409, body: { detail: { code: "cancelled" } } });

  const failing = server.call("POST", "/train");
  await server.database.sql`
    update training_jobs set status = 'failed', error = '{"code":"training_failed","message":"stack trace"}'
    where job_id = ${await queuedJob()}`;
  const failed = await failing;
  expect([failed.status, failed.body.detail.code]).toEqual([500, "training_failed"]);
  expect(failed.body.detail.message).not.toContain("stack trace");
});

test("a client that goes away does not cancel the job", async () => {
  await cancelOpen();
  const leaving = new AbortController();
  const gone = fetch(`${server.url}/train`, { method: "POST", signal: leaving.signal });
  const id = await queuedJob();
  leaving.abort();
  await expect(gone).rejects.toThrow();
  expect((await server.call("GET", "/health")).status).toBe(200);
  expect((await server.call("GET", `/train/jobs/${id}`)).body.status).toBe("queued");
});

const cancelOpen = () =>
  server.database.sql`update training_jobs set status = 'cancelled' where status in ('queued', 'running')`;

function queuedJob(): Promise<string> {
  return vi.waitFor(async () => {
    const [job] = await server.database.sql<{ job_id: string }[]>`
      select job_id from training_jobs where status = 'queued'`;
    if (job === undefined) throw new Error("No job is queued yet");
    return job.job_id;
  }, PATIENCE);
}
