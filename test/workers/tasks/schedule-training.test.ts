import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Objective } from "../../../core/feature/objective.ts";
import type { TrainedVersion } from "../../../core/ports.ts";
import { builtIn } from "../../../plugins/built-in.ts";
import { modelStore } from "../../../server/postgres/models.ts";
import { trainingJobStore } from "../../../server/postgres/training-jobs.ts";
import { scheduleTraining } from "../../../workers/tasks/schedule-training.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.sql`truncate features, feature_revisions, models, model_checks, training_jobs, exposures cascade`;
});
afterAll(() => database.close());

async function feature(retrain: Partial<Objective["retrain"]>, more: object = {}, strategy = "ml-model") {
  const definition = {
    key: "shop",
    name: "shop",
    variants: { on: true, off: false },
    off_variant: "off",
    steps: [{ id: "model", strategy, config: {}, on_failure: "next" }],
    objective: { event_types: ["buy"], window_seconds: 3600, retrain: { on_drift: false, ...retrain }, ...more },
  };
  await database.sql`
    insert into features (environment, key, definition)
    values ('production', 'shop', ${database.sql.json(definition as never)})`;
}

/** Decisions made `ago` milliseconds ago. */
async function decide(count: number, ago: number, probability = 0.5): Promise<void> {
  await database.sql`
    insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
      decision_source, reason, probability, probabilities)
    select ${`d${ago}`}::text || i, 'production', ${new Date(Date.now() - ago).toISOString()}::timestamptz, 'shop', 1, 'u' || i, 'u' || i,
      'on', true, 'rollout', 'SPLIT', ${probability}::float8, '{"on":0.5,"off":0.5}'
    from generate_series(1, ${count}::int) as i`;
}

const schedule = (later = 0) =>
  scheduleTraining({ sql: database.sql, clock: { now: () => Date.now() + later }, strategies });

/** Reason and status of each job, the oldest first. */
async function jobs(): Promise<readonly string[]> {
  const found = await trainingJobStore(database.sql).list("production", { limit: 10, feature_key: "shop" });
  return found.map(({ reason, status }) => `${reason} ${status}`).reverse();
}
const end = (status: string) => database.sql`
  update training_jobs set status = ${status}, finished_at = now() where status in ('queued', 'running')`;

describe("scheduleTraining()", () => {
  test("trains on a schedule, one at a time, from the last training on", async () => {
    await feature({ every_seconds: 600 });
    await Promise.all([schedule(), schedule(), schedule()]);
    await schedule(24 * HOUR);
    expect(await jobs()).toEqual(["schedule queued"]);
    await end("succeeded");
    await schedule(9 * MINUTE);
    expect(await jobs()).toHaveLength(1);
    await schedule(11 * MINUTE);
    expect(await jobs()).toEqual(["schedule succeeded", "schedule queued"]);
    const [queued] = await trainingJobStore(database.sql).list("production", { limit: 1 });
    expect(queued?.request).toMatchObject({ feature_key: "shop", learner: "auto", target: "auto" });
  });

  test("waits an hour after a training that failed, or the schedule's own time when that is longer", async () => {
    await feature({ every_seconds: 600 });
    await schedule();
    await end("failed");
    await schedule(59 * MINUTE);
    expect(await jobs()).toHaveLength(1);
    await schedule(61 * MINUTE);
    expect(await jobs()).toEqual(["schedule failed", "schedule queued"]);
    await end("failed");
    await database.sql`update features set definition = jsonb_set(definition::jsonb, '{objective,retrain,every_seconds}', '7200')`;
    await schedule(61 * MINUTE);
    expect(await jobs()).toHaveLength(2);
    await schedule(121 * MINUTE);
    expect(await jobs()).toHaveLength(3);
  });

  test("trains once so many outcomes have matured since the last training", async () => {
    await feature({ after_outcomes: 20 });
    await decide(19, 2 * HOUR);
    // Too recent, and never drawn.
    await decide(50, 30 * MINUTE);
    await decide(50, 2 * HOUR + 1, 1);
    await schedule();
    expect(await jobs()).toEqual([]);
    await decide(1, 3 * HOUR);
    await schedule();
    expect(await jobs()).toEqual(["volume queued"]);
    await end("succeeded");
    await schedule();
    expect(await jobs()).toHaveLength(1);
    await schedule(31 * MINUTE);
    expect(await jobs()).toEqual(["volume succeeded", "volume queued"]);
  });

  test("trains when the live model has drifted, once for each time that was found", async () => {
    await feature({ on_drift: true });
    const { version } = await modelStore(database.sql).save("production", trained(), "live");
    const check = async (health: string, at: number) => {
      await database.sql`
        insert into model_checks (environment, version, at, health, report)
        values ('production', ${version}, ${new Date(Date.now() + at).toISOString()}::timestamptz, ${health}, '{}')`;
      await database.sql`
        update models set health = ${health}, checked_at = ${new Date(Date.now() + at).toISOString()}::timestamptz`;
    };
    await schedule();
    await check("fresh", -2 * HOUR);
    await schedule();
    expect(await jobs()).toEqual([]);
    await check("warning", -HOUR);
    await schedule();
    expect(await jobs()).toEqual(["drift queued"]);
    await end("succeeded");
    // The same drift, found again; then well, and drifted anew.
    await check("stopped", HOUR);
    await schedule(HOUR);
    expect(await jobs()).toHaveLength(1);
    await check("fresh", 2 * HOUR);
    await check("stopped", 3 * HOUR);
    await schedule(3 * HOUR);
    expect(await jobs()).toEqual(["drift succeeded", "drift queued"]);
  });

  test("leaves features alone that are frozen or have no step that learns", async () => {
    await feature({ every_seconds: 600 }, { exploration: "frozen" });
    await schedule();
    await database.sql`truncate features cascade`;
    await feature({ every_seconds: 600 }, {}, "hash-bucketing");
    await schedule();
    expect(await jobs()).toEqual([]);
  });
});

function trained(): TrainedVersion {
  return {
    feature_key: "shop",
    learner: "logistic",
    trained_at: new Date().toISOString(),
    artifact: {},
    hash: "abc",
    seed: 1,
    metrics: {},
    process: {},
    verdict: "Live: it is better.",
    job_id: null,
  };
}
