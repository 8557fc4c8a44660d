import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../core/model/random.ts";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const HOUR = 3_600_000;
const PEOPLE = 3000;
/** Who is shown what is drawn anew every day: by the real clock, each day would bring other outcomes, and at times another verdict. */
const NOW = Date.UTC(2026, 9, 20, 12);

let server: TestServer;
let worker: Worker;
/** The server's clock: decisions are made in the past, so that their windows have passed when they are learned from. */
let now = NOW;

beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock: { now: () => now } }) });
  const { sql, url } = server.database;
  const clock = { now: () => NOW };
  const training = trainingPorts({ databaseUrl: url, sql, clock, settings: server.services.config });
  worker = await startWorker({ databaseUrl: url, sql, clock, training });
});
afterAll(async () => {
  await worker.stop();
  await server.close();
});

const definition = (key: string, objective: object = {}) => ({
  key,
  name: key,
  steps: [
    { id: "model", strategy: "ml-model", config: { mode: "uplift" } },
    {
      id: "rollout",
      strategy: "hash-bucketing",
      config: {
        arms: [
          { variant: "on", weight: 50 },
          { variant: "off", weight: 50 },
        ],
      },
    },
  ],
  objective: { event_types: ["buy"], window_seconds: 3600, ...objective },
});

async function feature(key: string): Promise<void> {
  expect(await server.call("POST", "/features", definition(key))).toMatchObject({ status: 201 });
}

const userOf = (i: number) => ({ user_id: `u${i}`, plan: i % 2 === 0 ? "new" : "old" });

/** Everybody is asked about once, by real calls, and then buys or not: `rate` of the plan and the variant served. */
async function live(key: string, rate: (plan: string, variant: string) => number): Promise<void> {
  const random = seededRandom(7);
  const events: object[] = [];
  for (let first = 0; first < PEOPLE; first += 500) {
    now = NOW - 3 * HOUR + first * 1000;
    const users = Array.from({ length: 500 }, (_, i) => userOf(first + i));
    const decisions = await server.client.evaluateUsers(key, users);
    const timestamp = new Date(now + 60_000).toISOString();
    decisions.forEach(({ variant }, i) => {
      const { user_id, plan } = users[i] as ReturnType<typeof userOf>;
      if (random() < rate(plan, variant as string))
        events.push({ user_id, feature_key: key, event_type: "buy", timestamp, properties: {} });
    });
  }
  now = NOW;
  await server.services.observer.flush();
  expect((await server.call("POST", "/ingest/events", { source: "test", events })).body).toMatchObject({ rejected: 0 });
}

const train = (feature_key: string, more: object = {}) =>
  server.call("POST", "/train", { feature_key, learner: "logistic", ...more });

describe("from decisions to a model of what the variants cause", () => {
  test("one that helps some and harms others goes live, with what it was compared with in words", async () => {
    await feature("helps");
    await live("helps", (plan, variant) => ((plan === "new") === (variant === "on") ? 0.4 : 0.1));
    const { status, body } = await train("helps", { target: "uplift" });
    expect([status, body.detail]).toEqual([200, undefined]);
    expect(body).toMatchObject({ model_version: "helps@1", promoted: true, traffic: 1 });
    expect(body.verdict).toContain("it beats plain rollout and every fixed variant");
    const { process, verdict } = (await server.call("GET", "/models/helps@1")).body;
    expect(verdict).toBe(body.verdict);
    expect(process).toMatchObject({
      target: "uplift",
      code_version: expect.stringMatching(/^\d/),
      job_id: expect.any(String),
      exposures: { total: PEOPLE, used: PEOPLE, certain: 0, first_at: expect.any(String), last_at: expect.any(String) },
      gate: { champion: { name: "plain rollout" }, gain: { value: expect.any(Number) }, failed: [] },
    });
    expect(process.gate.gain.lower_bound).toBeGreaterThan(0);
    const byModel = (
      await server.client.evaluateUsers(
        "helps",
        Array.from({ length: 200 }, (_, i) => userOf(i)),
      )
    )
      .map(({ decision_source, variant }, i) => ({ source: decision_source, variant, plan: userOf(i).plan }))
      .filter(({ source }) => source === "ml");
    const onOf = (plan: string) => byModel.filter((one) => one.plan === plan && one.variant === "on").length;
    // Some explore.
    expect(onOf("new")).toBeGreaterThan(80);
    expect(onOf("old")).toBeLessThan(20);
  }, 120_000);

  test("one that changes nothing stays a candidate, whose verdict says so", async () => {
    await feature("same");
    await live("same", () => 0.2);
    const { body } = await train("same");
    expect(body).toMatchObject({ promoted: false, traffic: 0, process: { target: "uplift" } });
    expect(body.verdict).toMatch(/(does not beat|is not clearly better than) plain rollout/);
    expect((await server.call("GET", "/model/status?feature_key=same")).body.status).toBe("not_trained");
  }, 120_000);

  test("a frozen objective, or a feature nobody was asked about, is refused and the live model stays", async () => {
    const frozen = await server.call("PUT", "/features/helps", definition("helps", { exploration: "frozen" }));
    expect(frozen).toMatchObject({ status: 200 });
    expect(await train("helps")).toMatchObject({ status: 422, body: { detail: { code: "frozen" } } });
    await feature("untouched");
    expect(await train("untouched")).toMatchObject({ status: 422, body: { detail: { code: "no_exposures" } } });
    expect(await train("untouched", { feature_key: null, target: "uplift" })).toMatchObject({
      status: 422,
      body: { detail: { code: "no_feature" } },
    });
    const { body } = await train("helps", { learner: "oracle" });
    expect(body.detail.message).toContain('"auto"|"logistic"|"trees"|"svm"|"ridge"');
    expect((await server.call("GET", "/model/status?feature_key=helps")).body.model_version).toBe("helps@1");
    const { jobs } = (await server.call("GET", "/train/jobs?feature_key=helps&limit=10")).body;
    expect(jobs.map((job: { status: string; reason: string }) => [job.status, job.reason])).toEqual([
      ["failed", "request"],
      ["succeeded", "request"],
    ]);
  }, 60_000);
});
