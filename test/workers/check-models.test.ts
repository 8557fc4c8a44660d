import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { rampGroup } from "../../core/rollout/ramp-group.ts";
import { startWorker } from "../../workers/runner.ts";
import { checkModels } from "../../workers/tasks/check-models.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { addModel, customers, makeCheckout, show, trainCheckout } from "./support/made-up-checkout.ts";

/** Who is shown what is drawn anew every day: by the real clock, each day would bring other outcomes, and at times a false alarm. */
const NOW = Date.UTC(2026, 9, 20, 12);

let server: TestServer;
const trained = trainCheckout();

beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock: { now: () => NOW } }) });
});
afterAll(() => server.close());

async function check(version?: string): Promise<void> {
  const { clock, strategies, metrics } = server.services;
  const only = version === undefined ? undefined : { environment: "production", version };
  await checkModels({ sql: server.sql, clock, strategies, metrics }, { only });
  await server.services.snapshots.refresh("production");
}
const stored = async (version: string) => (await server.call("GET", `/models/${version}`)).body;
const checksOf = async (version: string) => (await server.call("GET", `/models/${version}/checks`)).body.checks;
const revision = async () => {
  const [row] = await server.database.sql<[{ revision: number }]>`
    select revision from environments where key = 'production'`;
  return row.revision;
};
const audited = (subject: string) =>
  server.database.sql<{ actor: string; action: string; reason: string }[]>`
    select actor, action, reason from audit_log where subject = ${subject} and actor = 'check-models' order by id`;

describe("checkModels()", () => {
  test("finds a model whose users and outcomes are as in training fresh, and serves nothing anew", async () => {
    const version = await makeCheckout(server, "calm", trained);
    await show(server, "calm", customers(3000, 2));
    const before = await revision();
    await check(version);
    expect(await stored(version)).toMatchObject({
      health: "fresh",
      health_detail: null,
      checked_at: expect.any(String),
    });
    expect(await revision()).toBe(before);
    const [{ report }] = await checksOf(version);
    expect(report).toMatchObject({
      findings: [],
      exposures: 3000,
      calibration: { outcomes: 3000, alarm: false },
      propensities: { decisions: 3000, alarm: false, impossible: 0 },
    });
    expect(report.calibration.stated).toBeCloseTo(report.calibration.observed, 1);
    expect(report.psi.map(({ name }: { name: string }) => name).sort()).toEqual([
      "attribute.plan",
      "attribute.visits",
      "score",
    ]);
    expect(report.lift.model.users + report.lift.holdout.users).toBe(3000);
    expect(report.lift.model.outcomes / report.lift.model.users).toBeGreaterThan(0.2);
    const metrics = await server.services.metrics.prometheus();
    const gauge = (name: string) =>
      Number(
        metrics.match(new RegExp(`^${name}{environment="production",feature="calm",status="live"} (.*)$`, "m"))?.[1],
      );
    expect(gauge("model_health")).toBe(0);
    expect(gauge("model_psi_max")).toBeLessThan(0.1);
    expect(gauge("model_age_seconds")).toBeGreaterThan(3 * 3600 - 1);
    expect(gauge("model_calibration_gap")).toBeLessThan(0.1);
  });

  test("warns when the users shift, stops the model when they shift further, and its step falls back", async () => {
    const version = await makeCheckout(server, "shifting", trained);
    const users = customers(2000, 3, 1.6);
    await show(server, "shifting", users);
    await check(version);
    expect(await stored(version)).toMatchObject({
      health: "warning",
      health_detail: expect.stringContaining('"attribute.visits" is no longer distributed as in training'),
    });
    const evaluate = async (user_id: string) =>
      (await server.call("POST", "/evaluate", { feature_key: "shifting", user: { user_id, plan: "pro", visits: 5 } }))
        .body;
    const free = (await Promise.all(Array.from({ length: 30 }, (_, i) => evaluate(`u-${i}`)))).filter(
      ({ decision_source }) => decision_source !== "holdout",
    );
    expect(free.every(({ decision_source }) => decision_source === "ml")).toBe(true);

    const before = await revision();
    await show(server, "shifting", customers(4000, 4, 3), { ago: 1 });
    await check(version);
    expect(await stored(version)).toMatchObject({ health: "stopped" });
    expect(await revision()).toBe(before + 1);
    const [latest, earlier] = await checksOf(version);
    expect([latest.health, earlier.health]).toEqual(["stopped", "warning"]);
    const stopped = await evaluate(free[0].user_id);
    expect(stopped).toMatchObject({ variant: "off", fallback: { from: "model", cause: "drifted_model" } });
    expect((await server.call("GET", "/model/status?feature_key=shifting")).body).toMatchObject({ health: "stopped" });
  });

  test("stops a model whose probabilities no longer come true", async () => {
    const version = await makeCheckout(server, "hyped", trained, { holdout: 0 });
    await show(server, "hyped", customers(3000, 5), { luck: () => 0.6 });
    await check(version);
    const { health, health_detail } = await stored(version);
    expect(health).toBe("stopped");
    expect(health_detail).toContain("Its probabilities no longer hold");
  });

  test("stops a model whose arms are not served as their stored probabilities say", async () => {
    const version = await makeCheckout(server, "bent", trained);
    const served = ({ variant, user_id }: { variant: string | null; user_id: string | null }) =>
      variant === "off" && Number(user_id?.split("-").at(-1)) % 3 === 0 ? "on" : (variant as string);
    await show(server, "bent", customers(3000, 6), { served });
    await check(version);
    const { health, health_detail } = await stored(version);
    expect(health).toBe("stopped");
    expect(health_detail).toContain("no propensity can be trusted");
  });

  test("only warns when users' counts grow as they do with time, and stops the model when they shrink", async () => {
    const regulars = (grown: number) => ({ eventful: true, grown });
    const version = await makeCheckout(server, "growing", trainCheckout(1, regulars(1)));
    await show(server, "growing", customers(3000, 20), regulars(2.5));
    await check(version);
    const [{ health, report }] = await checksOf(version);
    const of = (name: string) => report.psi.find((shift: { name: string }) => shift.name === name);
    expect(of("events.count")).toMatchObject({ psi: expect.toSatisfy((psi: number) => psi > 0.25), grown: true });
    expect(of("events.per_day").psi).toBeLessThan(0.1);
    expect(report.findings.map(({ health }: { health: string }) => health)).not.toContain("stopped");
    expect(health).toBe("warning");

    await show(server, "growing", customers(4000, 21), { ...regulars(0.3), ago: 1 });
    await check(version);
    expect(await stored(version)).toMatchObject({
      health: "stopped",
      health_detail: expect.stringMatching(/"events\.(count|tenure_days)" is no longer distributed as in training/),
    });
  });

  describe("stops what is stale, and its steps fall back with stale_model:", () => {
    const asked = { user_id: "anyone", plan: "pro", visits: 5 };
    async function fallsBackAs(key: string, version: string, detail: string): Promise<void> {
      await check(version);
      expect(await stored(version)).toMatchObject({
        health: "stopped",
        health_detail: expect.stringContaining(detail),
      });
      const { body } = await server.call("POST", "/evaluate", { feature_key: key, user: asked });
      expect(body).toMatchObject({ fallback: { from: "model", cause: "stale_model" } });
    }

    test("a model older than is allowed, until it may be older", async () => {
      const version = await makeCheckout(server, "aged", trained, { holdout: 0, max_age_seconds: 7200 });
      await fallsBackAs("aged", version, "7200 are allowed");
      const { body: feature } = await server.call("GET", "/features/aged");
      const { key, name, type, variants, off_variant, fallback_variant, steps, objective } = feature;
      const definition = { key, name, type, variants, off_variant, fallback_variant, steps };
      const longer = { ...definition, objective: { ...objective, max_age_seconds: 86_400 } };
      expect((await server.call("PUT", "/features/aged", longer)).status).toBe(200);
      await check(version);
      expect(await stored(version)).toMatchObject({ health: "fresh", health_detail: null });
    });

    test("a model of another feature schema", async () => {
      const version = await makeCheckout(server, "foreign", trained, { holdout: 0 });
      await server.database.sql`
        update models set artifact = jsonb_set(artifact::jsonb, '{feature_schema}', '99')::json where version = ${version}`;
      await fallsBackAs("foreign", version, "feature schema 99");
    });

    test("a model of fewer than 50 positives an arm, also one that was promoted by force", async () => {
      const arms = [
        { arm: "off", rows: 3000, positives: 49, mean: 0.02 },
        { arm: "on", rows: 3000, positives: 400, mean: 0.13 },
      ];
      const thin = { ...trained, process: { ...trained.process, arms } };
      const version = await makeCheckout(server, "thin", thin, { holdout: 0 });
      await fallsBackAs("thin", version, '49 of "off"');
    });
  });

  test("says how a candidate would have done that nobody is served by", async () => {
    const version = await makeCheckout(server, "watched", trained);
    const candidate = await addModel(server, "watched", trainCheckout(2), { promote: false });
    await show(server, "watched", customers(1000, 7));
    await check(version);
    const { shadow } = await stored(candidate);
    expect(shadow).toMatchObject({ live: version, decisions: 1000, outcomes: 1000 });
    expect(shadow.agreement).toBeGreaterThan(0.9);
    expect(Math.abs(shadow.log_loss - shadow.live_log_loss)).toBeLessThan(0.02);
  });
});

describe("POST /models/{version}/checks", () => {
  test("has a worker look at a model that decides, and refuses one that does not", async () => {
    const version = await makeCheckout(server, "asked", trained);
    const candidate = await addModel(server, "asked", trained, { promote: false });
    expect((await server.call("POST", `/models/${candidate}/checks`)).status).toBe(409);
    expect((await server.call("POST", "/models/asked@99/checks")).status).toBe(404);
    const { sql, url } = server.database;
    const { clock, config } = server.services;
    const training = trainingPorts({ databaseUrl: url, sql, clock, settings: config });
    const worker = await startWorker({ databaseUrl: url, sql, clock, training });
    expect((await server.call("POST", `/models/${version}/checks`)).status).toBe(202);
    await vi.waitFor(async () => expect(await checksOf(version)).toMatchObject([{ health: "fresh" }]), {
      timeout: 20_000,
      interval: 50,
    });
    await worker.stop();
  });
});

describe("the ramp of a challenger", () => {
  const ramp = { ramp: [0.3, 0.6, 1], ramp_seconds: 0 };

  test("goes on share by share while nothing is worse, and ends with the challenger live", async () => {
    const champion = await makeCheckout(server, "rising", trained, ramp);
    const challenger = await addModel(server, "rising", trainCheckout(3), { promote: { traffic: 0.3 } });
    const users = customers(2000, 8);
    await show(server, "rising", users);
    const taken = rampGroup("rising");
    const rows = await server.database.sql<{ user_id: string; model_version: string }[]>`
      select user_id, model_version from exposures where feature_key = 'rising' and model_version is not null`;
    expect(rows.length).toBeGreaterThan(1000);
    expect(rows.filter((row) => (row.model_version === challenger) !== taken(row.user_id, 0.3))).toEqual([]);

    await check(challenger);
    expect(await stored(challenger)).toMatchObject({ status: "candidate", traffic: 0.6 });
    await check(challenger);
    expect(await stored(challenger)).toMatchObject({ status: "live", traffic: 1 });
    expect(await stored(champion)).toMatchObject({ status: "retired", traffic: 0 });
    expect((await audited(challenger)).map(({ action }) => action)).toEqual(["model.advance", "model.advance"]);
    const { body } = await server.call("GET", "/model/status?feature_key=rising");
    expect(body).toMatchObject({ model_version: challenger, health: "fresh" });
  });

  test("holds until enough outcomes are known", async () => {
    await makeCheckout(server, "waiting", trained, ramp);
    const challenger = await addModel(server, "waiting", trained, { promote: { traffic: 0.3 } });
    await show(server, "waiting", customers(100, 9));
    await check(challenger);
    expect(await stored(challenger)).toMatchObject({ status: "candidate", traffic: 0.3 });
    const [{ report }] = await checksOf(challenger);
    expect(report.ramp).toMatchObject({ action: "hold", stages: [{ traffic: 0.3 }] });
  });

  test("ends at once when the challenger's users do worse, and says why", async () => {
    const champion = await makeCheckout(server, "falling", trained, ramp);
    const challenger = await addModel(server, "falling", trained, { promote: { traffic: 0.3 } });
    const taken = rampGroup("falling");
    const luck = ({ user_id }: { user_id: string }) => (taken(user_id, 0.3) ? 0.5 : 1);
    await show(server, "falling", customers(3000, 10), { luck });
    await check(challenger);
    const { status, traffic, verdict } = await stored(challenger);
    expect({ status, traffic }).toEqual({ status: "candidate", traffic: 0 });
    expect(verdict).toContain("Sent back from 30 %: the objective decreased");
    expect(await stored(champion)).toMatchObject({ status: "live", traffic: 1 });
    expect(await audited(challenger)).toMatchObject([
      { actor: "check-models", action: "model.return", reason: expect.stringContaining("the objective decreased") },
    ]);
  });
});

describe("a live model that does worse than none", () => {
  const harmed = (_: unknown, { decision_source }: { decision_source: string }) =>
    decision_source === "holdout" ? 1 : 0.35;

  test("gives way to the one before it", async () => {
    const before = await makeCheckout(server, "turning", trained, { holdout: 0.2 });
    await server.database.sql`update models set ramped_at = ramped_at - interval '1 hour' where version = ${before}`;
    const version = await addModel(server, "turning", trained, { promote: "live" });
    await show(server, "turning", customers(4000, 11), { luck: harmed });
    await check(version);
    expect(await stored(before)).toMatchObject({ status: "live", traffic: 1, health: "fresh" });
    expect(await stored(version)).toMatchObject({
      status: "retired",
      health: "stopped",
      health_detail: expect.stringContaining("It does worse than no model"),
    });
    expect(await audited(version)).toMatchObject([
      { action: "model.return", reason: expect.stringContaining(`${before} decides again`) },
    ]);
  });

  test("is stopped where none was before it", async () => {
    const version = await makeCheckout(server, "alone", trained, { holdout: 0.2 });
    await show(server, "alone", customers(4000, 12), { luck: harmed });
    await check(version);
    expect(await stored(version)).toMatchObject({ status: "live", health: "stopped" });
    const user = { user_id: "someone", plan: "pro", visits: 5 };
    const { body } = await server.call("POST", "/evaluate", { feature_key: "alone", user });
    if (body.decision_source !== "holdout") expect(body.fallback).toMatchObject({ cause: "drifted_model" });
  });
});
