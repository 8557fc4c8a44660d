import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReportedExposure } from "../../../server/http/reported-exposure.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let experiment: number;
beforeAll(async () => {
  server = await startTestServer();
  const { client } = server;
  await client.createFeature({ key: "plain", name: "Plain", rollout_percentage: 50 });
  await client.createFeature({ key: "learns", name: "Learns", objective: { event_types: ["buy"] } });
  await client.createFeature({ key: "tried", name: "Tried" });
  const { body } = await server.call("POST", "/experiments", {
    name: "Test",
    feature_key: "tried",
    primary_metric_event: "buy",
  });
  experiment = body.id;
});
afterAll(() => server.close());

let made = 0;
function exposure(change: Partial<ReportedExposure> = {}): ReportedExposure {
  made += 1;
  return {
    decision_id: `0123456789abcdef-${made}`,
    at: new Date().toISOString(),
    feature_key: "plain",
    feature_version: 1,
    user_id: "ada",
    variant: "on",
    enabled: true,
    decision_source: "rollout",
    reason: "SPLIT",
    step: "rollout",
    score: null,
    threshold: null,
    confidence: null,
    probability: 0.5,
    model_version: null,
    fallback: null,
    experiment: null,
    features: null,
    probabilities: null,
    ...change,
  };
}

const report = (...exposures: unknown[]) => server.call("POST", "/exposures", { exposures });
const stored = (...ids: string[]) =>
  server.database.sql`select * from exposures where decision_id in ${server.database.sql(ids)} order by decision_id`;

describe("POST /exposures", () => {
  test("stores a decision as the server stores its own", async () => {
    const fallback = { from: "model", cause: "no_model" } as const;
    const whole = exposure({
      feature_key: "learns",
      at: "2026-11-22T12:00:00.123Z",
      features: { schema: 1, "attribute.plan": "pro", "events.count": 0 },
      probabilities: { on: 0.3, off: 0.7 },
      probability: 0.25,
      score: 0.4,
      threshold: 0.2,
      confidence: 0.9,
      fallback,
    });
    const at = new Date(Date.now() - 60_000).toISOString();
    expect(await report({ ...whole, at })).toMatchObject({
      status: 201,
      body: { saved_exposures: 1, duplicates: 0, rejected: 0, rejections: [] },
    });
    const [row] = await stored(whole.decision_id);
    expect(row).toEqual({
      decision_id: whole.decision_id,
      environment: "production",
      at: new Date(at),
      feature_key: "learns",
      feature_version: 1,
      user_id: "ada",
      unit: "ada",
      variant: "on",
      enabled: true,
      decision_source: "rollout",
      reason: "SPLIT",
      step: "rollout",
      score: 0.4,
      threshold: 0.2,
      confidence: 0.9,
      probability: 0.3,
      model_version: null,
      fallback_from: "model",
      fallback_cause: "no_model",
      features: whole.features,
      probabilities: whole.probabilities,
    });
  });

  test("is idempotent by id and time, within a call and over calls", async () => {
    const [one, other] = [exposure(), exposure()];
    expect((await report(one, one)).body).toMatchObject({ saved_exposures: 1, duplicates: 1 });
    expect((await report(one, other)).body).toMatchObject({ saved_exposures: 1, duplicates: 1 });
    expect(await stored(one.decision_id, other.decision_id)).toHaveLength(2);
  });

  test("counts a user's first exposure to an experiment, whatever comes first", async () => {
    const assigned = (minutes: number) =>
      exposure({
        feature_key: "tried",
        decision_source: "experiment",
        experiment: { experiment_id: experiment, variant: "A" },
        variant: "off",
        enabled: false,
        step: null,
        at: new Date(Date.now() - minutes * 60_000).toISOString(),
      });
    const [later, earlier] = [assigned(1), assigned(5)];
    expect((await report(later)).body.saved_exposures).toBe(1);
    expect((await report(earlier)).body.saved_exposures).toBe(1);
    const rows = await server.database.sql`select * from experiment_exposures where experiment_id = ${experiment}`;
    expect(rows).toEqual([{ experiment_id: experiment, user_id: "ada", arm: "A", first_at: new Date(earlier.at) }]);
  });

  test("rejects a bad one alone, by its index and in words", async () => {
    const good = exposure();
    const { status, body } = await report(exposure({ feature_key: "ghost" }), good, 7);
    expect([status, body.saved_exposures, body.rejected]).toEqual([201, 1, 2]);
    expect(body.rejections).toEqual([
      {
        index: 0,
        code: "unknown_feature",
        field: "feature_key",
        message: 'names "ghost", which this environment does not have',
      },
      { index: 2, code: "invalid_exposure", message: expect.stringContaining("object") },
    ]);
    expect(await stored(good.decision_id)).toHaveLength(1);
  });

  const day = 86_400_000;
  const row = { schema: 1, "attribute.plan": "pro" };
  test.each<[string, Partial<ReportedExposure> & Record<string, unknown>, string, string]>([
    ["a variant it never had", { variant: "blue" }, "unknown_variant", "variant"],
    ["a version to come", { feature_version: 2 }, "unknown_version", "feature_version"],
    ["a time to come", { at: new Date(Date.now() + 5 * 60_000).toISOString() }, "future_time", "at"],
    ["a time long past", { at: new Date(Date.now() - 31 * day).toISOString() }, "too_old", "at"],
    ["no time", { at: "yesterday" }, "invalid_exposure", "at"],
    ["a probability of 0", { probability: 0 }, "invalid_exposure", "probability"],
    ["a probability above 1", { probability: 1.01 }, "invalid_exposure", "probability"],
    ["an off variant that is on", { variant: "off" }, "inconsistent", "enabled"],
    ["attributes of a feature that does not learn", { features: row }, "not_learning", "features"],
    ["a row of another schema", { feature_key: "learns", features: { schema: 2 } }, "invalid_row", "features.schema"],
    [
      "probabilities that do not sum to 1",
      { feature_key: "learns", features: row, probabilities: { on: 0.3, off: 0.3 } },
      "invalid_probability",
      "probabilities",
    ],
    [
      "a variant that could not have been drawn",
      { feature_key: "learns", features: row, probabilities: { on: 0, off: 1 } },
      "invalid_probability",
      "probabilities",
    ],
    [
      "probabilities of variants it never had",
      { feature_key: "learns", features: row, probabilities: { on: 0.5, blue: 0.5 } },
      "unknown_variant",
      "variant",
    ],
    ["a model nobody trained", { model_version: "plain@7" }, "unknown_model", "model_version"],
    [
      "an experiment on something else",
      { experiment: { experiment_id: 1, variant: "A" } },
      "unknown_experiment",
      "experiment",
    ],
    [
      "a cause nobody knows",
      { fallback: { from: "model", cause: "bad luck" as "error" } },
      "invalid_exposure",
      "fallback.cause",
    ],
    ["a short id", { decision_id: "1" }, "invalid_exposure", "decision_id"],
    ["nobody", { user_id: "" }, "invalid_exposure", "user_id"],
    ["a field it does not have", { colour: "blue" }, "invalid_exposure", "colour"],
  ])("refuses %s", async (_, change, code, field) => {
    const bad = exposure(change);
    const { body } = await report(bad);
    expect(body.rejections).toEqual([{ index: 0, code, field, message: expect.any(String) }]);
    expect(await stored(bad.decision_id)).toEqual([]);
  });

  test("knows what an earlier version served, and what another server has just made", async () => {
    const { client } = server;
    const steps = [{ id: "split", strategy: "hash-bucketing", config: { arms: [{ variant: "blue", weight: 100 }] } }];
    const type = "string" as const;
    const off_variant = "off";
    await client.createFeature({
      key: "moved",
      name: "Moved",
      type,
      variants: { blue: "b", off: "o" },
      off_variant,
      steps,
    });
    await client.updateFeature("moved", {
      ...{ key: "moved", name: "Moved", type, variants: { green: "g", off: "o" }, off_variant },
      steps: [{ id: "split", strategy: "hash-bucketing", config: { arms: [{ variant: "green", weight: 100 }] } }],
    });
    const [before, wrong] = [1, 2].map((feature_version) =>
      exposure({ feature_key: "moved", feature_version, variant: "blue" }),
    );
    expect((await report(before, wrong)).body).toMatchObject({
      saved_exposures: 1,
      rejections: [{ index: 1, code: "unknown_variant" }],
    });
    await server.database.sql`
      insert into features (environment, key, definition, version)
      select environment, 'elsewhere', jsonb_set(definition::jsonb, '{key}', '"elsewhere"')::json, 1
      from features where key = 'plain'`;
    await server.database.sql`update environments set revision = revision + 1 where key = 'production'`;
    expect((await report(exposure({ feature_key: "elsewhere" }))).body.saved_exposures).toBe(1);
  });

  test("takes 1 to 5,000", async () => {
    expect((await report()).status).toBe(422);
    const many = Array.from({ length: 5_000 }, (_, i) => exposure({ user_id: `user-${i}` }));
    expect((await report(...many)).body).toMatchObject({ saved_exposures: 5_000, rejected: 0 });
    expect((await report(...many, exposure())).status).toBe(422);
    const { counters } = server.services.metrics.snapshot();
    expect(counters['exposures_reported_total{outcome="stored"}']).toBeGreaterThanOrEqual(5_000);
    expect(counters['exposures_rejected_total{reason="unknown_variant"}']).toBeGreaterThan(0);
  });
});
