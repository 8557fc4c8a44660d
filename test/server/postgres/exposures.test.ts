import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Decision } from "../../../core/decision/decision.ts";
import type { Exposure } from "../../../core/decision/exposure.ts";
import { exposureStore } from "../../../server/postgres/exposures.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const AT = Date.UTC(2026, 10, 22, 12);

function exposure(over: Partial<Exposure> = {}, decision: Partial<Decision> = {}): Exposure {
  return {
    environment: "production",
    decision_id: "d1",
    at: AT,
    unit: "ada",
    features: null,
    probabilities: null,
    decision: {
      feature_key: "checkout",
      user_id: "ada",
      enabled: true,
      variant: "on",
      value: true,
      decision_source: "rollout",
      reason: "SPLIT",
      step: "rollout",
      score: null,
      threshold: null,
      threshold_mode: null,
      confidence: null,
      probability: null,
      model_version: null,
      bucket: 7,
      fallback: null,
      experiment: null,
      feature_version: 3,
      ...decision,
    },
    ...over,
  };
}

async function experiment(feature_key: string): Promise<number> {
  const [row] = await database.sql`
    insert into experiments (environment, name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, arms, seed, enabled)
    values ('production', 'E', ${feature_key}, 'buy', 10, 0, '[]', 's', true) returning id`;
  return row?.id;
}

describe("exposureStore()", () => {
  test("stores all of a decision that training and counting need", async () => {
    await exposureStore(database.sql).append([
      exposure(
        {
          decision_id: "whole",
          unit: "org-1",
          probabilities: { on: 0.25, off: 0.75 },
          features: { "/plan": 'pro "x"\\', views: 3, odd: "\0\ud800" },
        },
        {
          decision_source: "ml",
          score: 0.25,
          threshold: 0.1,
          confidence: 0.9,
          probability: 1,
          model_version: "v2",
          fallback: { from: "model", cause: "timeout" },
        },
      ),
    ]);
    const [row] = await database.sql`select * from exposures where decision_id = 'whole'`;
    expect(row).toEqual({
      decision_id: "whole",
      environment: "production",
      at: new Date(AT),
      feature_key: "checkout",
      feature_version: 3,
      user_id: "ada",
      unit: "org-1",
      variant: "on",
      enabled: true,
      decision_source: "ml",
      reason: "SPLIT",
      step: "rollout",
      score: 0.25,
      threshold: 0.1,
      confidence: 0.9,
      probability: 0.25,
      probabilities: { on: 0.25, off: 0.75 },
      model_version: "v2",
      fallback_from: "model",
      fallback_cause: "timeout",
      features: { "/plan": 'pro "x"\\', views: 3, odd: "\ufffd\ufffd" },
    });
  });

  test("writes a repeated batch once and leaves out what served no variant", async () => {
    const store = exposureStore(database.sql);
    const batch = [
      exposure({ decision_id: "again" }),
      exposure({ decision_id: "odd user" }, { user_id: "a\0b" }),
      exposure({ decision_id: "none" }, { variant: null, feature_version: null, decision_source: "feature_not_found" }),
    ];
    await store.append(batch);
    await store.append([...batch, exposure({ decision_id: "since then" })]);
    const rows = await database.sql`
      select decision_id from exposures where decision_id in ('again', 'odd user', 'none', 'since then') order by 1`;
    expect(rows.map(({ decision_id }) => decision_id)).toEqual(["again", "odd user", "since then"]);
  });

  test("keeps a user's first exposure to an experiment, in whatever order exposures come", async () => {
    const store = exposureStore(database.sql);
    const id = await experiment("arms");
    const seen = (decision_id: string, user_id: string, at: number, variant: string) =>
      exposure({ decision_id, at }, { user_id, experiment: { experiment_id: id, experiment_name: "E", variant } });
    await store.append([seen("e1", "u1", AT + 5, "A"), seen("e2", "u2", AT, "B"), seen("e3", "u1", AT + 3, "A")]);
    await store.append([seen("e4", "u1", AT + 1, "A"), seen("e5", "u2", AT + 9, "B")]);
    const rows = await database.sql`
      select user_id, arm, first_at from experiment_exposures where experiment_id = ${id} order by user_id`;
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { user_id: "u1", arm: "A", first_at: new Date(AT + 1) },
      { user_id: "u2", arm: "B", first_at: new Date(AT) },
    ]);
  });

  test("passes over an experiment that is gone or of another environment", async () => {
    const id = await experiment("foreign");
    const foreign = (decision_id: string, experiment_id: number) =>
      exposure(
        { decision_id, environment: "staging" },
        { experiment: { experiment_id, experiment_name: "E", variant: "A" } },
      );
    await exposureStore(database.sql).append([foreign("f1", id), foreign("f2", 999_999)]);
    const [row] = await database.sql`select count(*) as exposures from exposures where decision_id in ('f1', 'f2')`;
    expect(row?.exposures).toBe(2);
    expect(await database.sql`select 1 from experiment_exposures where experiment_id in (${id}, 999999)`).toEqual([]);
  });

  test("stores concurrent batches of the same users without a deadlock", async () => {
    const id = await experiment("busy");
    const stores = [exposureStore(database.sql), exposureStore(database.sql)];
    const batch = (name: string) =>
      Array.from({ length: 200 }, (_, i) =>
        exposure(
          { decision_id: `${name}-${i}` },
          { user_id: `u${(i * 37) % 100}`, experiment: { experiment_id: id, experiment_name: "E", variant: "A" } },
        ),
      );
    await Promise.all(
      Array.from({ length: 12 }, (_, i) => stores[i % 2]?.append(i % 3 ? batch(`b${i}`) : batch(`b${i}`).reverse())),
    );
    const [row] = await database.sql`select count(*) as users from experiment_exposures where experiment_id = ${id}`;
    expect(row?.users).toBe(100);
  });
});
