import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts as realPorts } from "../../workers/training-ports.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { learnForEver } from "./support/training-ports.ts";

const PATIENCE = { timeout: 20_000, interval: 25 };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let server: TestServer;
let workers: Worker[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await stopWorkers();
  await server.close();
});

async function work(replaced: { learn?: typeof learnForEver } = {}): Promise<void> {
  const { sql, url } = server.database;
  const { clock, config } = server.services;
  const training = { ...realPorts({ databaseUrl: url, sql, clock, settings: config }), ...replaced };
  workers.push(await startWorker({ databaseUrl: url, sql, clock, training }));
}
async function stopWorkers(): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
}

/** Two groups: those who click a lot buy in the hour after the cut, those who read a lot mostly do not. */
const cut = Date.now() - HOUR;
function history(): object[] {
  return Array.from({ length: 240 }, (_, user) => {
    const clicks = user % 2 === 0;
    const event = (at: number, event_type: string) => ({
      user_id: `user-${user}`,
      feature_key: "checkout",
      event_type,
      timestamp: new Date(at).toISOString(),
      properties: {},
    });
    const before = Array.from({ length: 4 + (user % 5) }, (_, i) =>
      event(cut - ((user * 7 + i * 11) % 48) * HOUR - (user + 1) * 1000, clicks ? "click" : "read"),
    );
    const buys = clicks !== (user % 9 === 0);
    return [...before, event(cut + 10 * MINUTE + user, buys ? "purchase" : "leave")];
  }).flat();
}

const evaluate = async (user: number) =>
  (await server.call("POST", "/evaluate", { feature_key: "checkout", user: { user_id: `user-${user}` } })).body;
const trainRequest = {
  feature_key: "checkout",
  learner: "logistic",
  positive_event_types: ["purchase"],
  cut: new Date(cut).toISOString(),
};

describe("from the first event to a decision by a model", () => {
  test("a feature falls back to its rollout while there is no model", async () => {
    const made = await server.call("POST", "/features", {
      name: "Checkout",
      key: "checkout",
      rollout_percentage: 50,
      ml_enabled: true,
      ml_threshold_mode: "match_rollout",
    });
    expect(made.status).toBe(201);
    expect(await evaluate(0)).toMatchObject({ decision_source: "rollout", fallback: { cause: "no_model" } });
  });

  test("too little data is refused with what is missing, and the model's status stays", async () => {
    await work();
    const refused = await server.call("POST", "/train", trainRequest);
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toMatchObject({ code: "no_events" });
    expect((await server.call("GET", "/model/status?feature_key=checkout")).body.status).toBe("not_trained");
  });

  test("trained on its users' events, the model decides for them", async () => {
    const sent = await server.call("POST", "/ingest/events", { source: "test", events: history() });
    expect(sent.body).toMatchObject({ rejected: 0 });
    const trained = await server.call("POST", "/train", trainRequest);
    expect(trained.status).toBe(200);
    expect(trained.body).toMatchObject({
      status: "ready",
      model_name: "logistic",
      model_version: "checkout@1",
      artifact_path: "/models/checkout@1",
      promoted: true,
    });
    expect(trained.body.metrics.roc_auc).toBeGreaterThan(0.7);
    expect(trained.body.process.duration_ms).toBeGreaterThan(0);
    const decisions = await vi.waitFor(async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, user) => evaluate(user)));
      expect(answers.some((answer) => answer.decision_source === "ml")).toBe(true);
      return answers;
    }, PATIENCE);
    const byModel = decisions.filter((decision) => decision.decision_source === "ml");
    expect(byModel.every((decision) => decision.model_version === "checkout@1")).toBe(true);
    expect(byModel.some((decision) => decision.enabled)).toBe(true);
    expect((await server.call("GET", "/model/status?feature_key=checkout")).body).toMatchObject({
      status: "ready",
      model_version: "checkout@1",
    });
    await stopWorkers();
  });

  test("requests in the background share a job, which shows its progress and can be cancelled", async () => {
    await work({ learn: learnForEver });
    const [one, two] = await Promise.all([1, 2].map(() => server.call("POST", "/train/async", trainRequest)));
    expect([one?.status, two?.status]).toEqual([202, 202]);
    expect(one?.body.job_id).toBe(two?.body.job_id);
    const path = `/train/jobs/${one?.body.job_id}`;
    await vi.waitFor(async () => {
      expect((await server.call("GET", path)).body).toMatchObject({ status: "running", stage: "fitting for ever" });
    }, PATIENCE);
    const waiting = server.call("POST", "/train", trainRequest);
    expect((await server.call("DELETE", path)).status).toBe(200);
    await vi.waitFor(async () => {
      expect((await server.call("GET", path)).body).toMatchObject({ status: "cancelled", result: null });
    }, PATIENCE);
    await stopWorkers();
    await work();
    // It either joined the job before it was cancelled, or waited for its end and got one of its own.
    expect([200, 409]).toContain((await waiting).status);
    expect((await server.call("GET", "/model/status?feature_key=checkout")).body.status).toBe("ready");
  });

  test("a job in the background succeeds with the answer POST /train gives", async () => {
    const { body } = await server.call("POST", "/train/async", trainRequest);
    expect(body).toMatchObject({ status: "queued", submitted_at: expect.any(String) });
    const job = await vi.waitFor(async () => {
      const read = (await server.call("GET", `/train/jobs/${body.job_id}`)).body;
      expect(read.status).toBe("succeeded");
      return read;
    }, PATIENCE);
    expect(job.result).toMatchObject({ status: "ready", model_version: expect.stringMatching(/^checkout@\d+$/) });
    const { runs } = (await server.call("GET", "/model/runs?feature_key=checkout")).body;
    expect(runs[0]).toMatchObject({ model_version: job.result.model_version, job_id: body.job_id });
  });
});
