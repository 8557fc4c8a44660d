import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Objective } from "../../../core/feature/objective.ts";
import { Artifact } from "../../../core/model/artifact.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { type RidgeModel, updateRidge } from "../../../core/model/ridge.ts";
import { configurationStore } from "../../../server/postgres/configuration.ts";
import { featureStore } from "../../../server/postgres/features.ts";
import { modelStore } from "../../../server/postgres/models.ts";
import { updateBandits } from "../../../workers/tasks/update-bandits.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { BANDIT_ARMS, makeBandit, TRAINED } from "../../support/make-bandit.ts";
import { makeFeature } from "../../support/make-configuration.ts";

const SECOND = 1000;
const ENVIRONMENT = "production";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.sql`truncate events, exposures, features, models, bandit_states cascade`;
  await featureStore(database.sql).create(ENVIRONMENT, offer(), { actor: "test" });
  const { version: _, environment: __, status: ___, ...model } = makeBandit();
  const { traffic, ramped_at, health, health_detail, health_cause, checked_at, shadow, ...trained } = model;
  const process = { dataset_profile: { rows: 6000, window_seconds: 10 } };
  await modelStore(database.sql).save(
    ENVIRONMENT,
    { ...trained, job_id: null, process, trained_at: new Date(TRAINED).toISOString() },
    "live",
  );
});
afterAll(() => database.close());

function offer(exploration: number | "frozen" = 0.1) {
  const {
    id: _,
    environment: __,
    version: ___,
    created_at: ____,
    updated_at: _____,
    ...definition
  } = makeFeature({
    key: "offer",
    variants: { off: "off", blue: "blue", green: "green" },
    steps: [{ id: "bandit", strategy: "bandit", config: {}, on_failure: "next" }],
    objective: Objective.parse({ event_types: ["purchase"], exploration }),
  });
  return definition;
}

function teach(now: number): Promise<number> {
  return updateBandits({ sql: database.sql, clock: { now: () => now }, positive_event_types: ["purchase"] });
}

async function served(): Promise<RidgeModel> {
  const { models } = await configurationStore(database.sql).load(ENVIRONMENT);
  return Artifact.parse(models[0]?.artifact).model as RidgeModel;
}

async function decided(user_id: string, at: number, variant: string, age: number, p = 0.4): Promise<void> {
  const features = JSON.stringify(featureRow({ age }, undefined, at));
  const probabilities = JSON.stringify({ off: 0.3, blue: 0.3, green: 0.3, [variant]: p });
  await database.sql`
    insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
      decision_source, reason, features, probability, probabilities)
    values (${`${user_id}/${at}`}, ${ENVIRONMENT}, ${new Date(at).toISOString()}::timestamptz, 'offer', 1, ${user_id},
      ${user_id}, ${variant}, true, 'bandit', 'SPLIT', ${features}::text::jsonb, ${p}, ${probabilities}::text::jsonb)`;
}

async function bought(user_id: string, at: number): Promise<void> {
  await database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type)
    values (${ENVIRONMENT}, ${new Date(at).toISOString()}::timestamptz, ${user_id}, 'offer', 'purchase')`;
}

describe("updateBandits()", () => {
  test("serves what a model taught by hand would serve, each outcome once", async () => {
    const at = TRAINED + SECOND;
    await decided("ada", at, "green", -1);
    await bought("ada", at + 9 * SECOND);
    await decided("bob", at + SECOND, "blue", 1);
    await bought("bob", at + SECOND + 10 * SECOND); // the window is open at its end
    const expected = structuredClone(Artifact.parse(makeBandit().artifact).model as RidgeModel);
    updateRidge(expected, Float64Array.of(-1), 0, BANDIT_ARMS.indexOf("green"), 1);
    updateRidge(expected, Float64Array.of(1), 0, BANDIT_ARMS.indexOf("blue"), 0);

    expect(await teach(at + 60 * SECOND)).toBe(2);
    expect(await served()).toEqual(expected);
    expect(await teach(at + 90 * SECOND)).toBe(0);
    expect(await served()).toEqual(expected);
    const [state] = await database.sql`select outcomes::int, watermark from bandit_states`;
    expect(state).toEqual({ outcomes: 2, watermark: new Date(at + SECOND) });
  });

  test("waits until an outcome can be known, and tells the servers only when it learned something", async () => {
    const at = TRAINED + SECOND;
    const revision = async () => (await configurationStore(database.sql).load(ENVIRONMENT)).revision;
    const before = await revision();
    await decided("ada", at, "green", -1);
    expect(await teach(at + 10 * SECOND)).toBe(0);
    expect(await revision()).toBe(before);
    expect(await teach(at + 12 * SECOND)).toBe(1);
    expect(await revision()).toBe(before + 1);
  });

  test("learns the first decision of a user and epoch only, and none that was certain or came before the training", async () => {
    const at = TRAINED + SECOND;
    await decided("ada", at, "green", -1);
    await decided("ada", at + SECOND, "blue", -1);
    await decided("bob", at, "blue", 1, 1);
    await decided("cyd", TRAINED - SECOND, "blue", 1);
    await decided("ada", at + 86_400 * SECOND, "off", -1);
    expect(await teach(at + 2 * 86_400 * SECOND)).toBe(2);
  });

  test("is hardly moved by one user, whatever they do: 10,000 events, or a decision a day for months", async () => {
    const at = TRAINED + SECOND;
    const day = 86_400 * SECOND;
    const before = await served();
    for (let i = 0; i < 60; i++) await decided("mallory", at + i * day, "green", 30 * (i % 2));
    await database.sql`
      insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
      select ${ENVIRONMENT}, ${new Date(at).toISOString()}::timestamptz + (i % 60) * interval '1 day' + (i / 60) * interval '10 ms',
        'mallory', 'offer', 'purchase', '{"value": 1000000}'
      from generate_series(0, 9999) as i`;
    expect(await teach(at + 90 * day)).toBe(20);
    const after = await served();
    for (const [arm, now] of after.arms.entries()) {
      const then = before.arms[arm] as (typeof before.arms)[number];
      const moved = (of: "b" | "inverse") =>
        Math.hypot(...now[of].map((value, i) => value - (then[of][i] as number))) / Math.hypot(...then[of]);
      expect(moved("b"), `sums of ${BANDIT_ARMS[arm]}`).toBeLessThan(0.01);
      expect(moved("inverse"), `covariance of ${BANDIT_ARMS[arm]}`).toBeLessThan(0.01);
      expect(now.weight - then.weight).toBeLessThan(3.6);
    }
  });

  test("does not learn while the objective is frozen", async () => {
    await featureStore(database.sql).update(ENVIRONMENT, "offer", () => offer("frozen"), { actor: "test" });
    await decided("ada", TRAINED + SECOND, "green", -1);
    expect(await teach(TRAINED + 60 * SECOND)).toBe(0);
  });

  test("many workers at once teach each outcome once", async () => {
    for (let i = 0; i < 20; i++) await decided(`u${i}`, TRAINED + SECOND + i, "green", -1);
    const taught = await Promise.all(Array.from({ length: 5 }, () => teach(TRAINED + 60 * SECOND)));
    expect(taught.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect((await served()).arms[2]?.n).toBe(2000 + 20);
  });
});
