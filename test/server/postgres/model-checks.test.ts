import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Model } from "../../../core/model/model.ts";
import { modelCheckStore, predecessorOf, recordCheck, shadowCandidate } from "../../../server/postgres/model-checks.ts";
import { modelStore } from "../../../server/postgres/models.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
const NOW = Date.UTC(2026, 10, 20);
const DAY = 86_400_000;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.sql`truncate models, model_checks, audit_log cascade`;
});

/** Trained and put to use so many days ago. */
async function save(days: number, promote: "live" | false = "live"): Promise<Model> {
  const time = new Date(NOW - days * DAY).toISOString();
  const trained = {
    learner: "logistic" as const,
    artifact: {},
    hash: "",
    seed: 1,
    metrics: {},
    process: {},
    verdict: "",
  };
  const model = await modelStore(database.sql).save(
    "production",
    { ...trained, feature_key: "checkout", trained_at: time, job_id: null },
    promote,
  );
  return model;
}
const read = async ({ version }: Model) => (await modelStore(database.sql).get("production", version)) as Model;
const found = { at: NOW, health: "warning" as const, detail: "The plan shifted", cause: null, report: { psi: 0.2 } };

describe("recordCheck()", () => {
  test("keeps what was found, newest first, and tells servers only of another health", async () => {
    const model = await save(1);
    const revision = async () => {
      const [row] = await database.sql<
        [{ revision: number }]
      >`select revision from environments where key = 'production'`;
      return row.revision;
    };
    const before = await revision();
    expect(await recordCheck(database.sql, { model, ...found })).toBe(true);
    expect(await revision()).toBe(before + 1);
    expect(await recordCheck(database.sql, { model, ...found, at: NOW + 1, detail: "Still" })).toBe(true);
    expect(await revision()).toBe(before + 1);
    expect(await read(model)).toMatchObject({ health: "warning", health_detail: "Still" });
    const checks = await modelCheckStore(database.sql).list("production", model.version, 10);
    expect(checks.map(({ detail }) => detail)).toEqual(["Still", "The plan shifted"]);
    const { cause: _, ...kept } = found;
    expect(checks[1]).toEqual({ version: model.version, ...kept, at: new Date(NOW).toISOString() });
  });

  test("does nothing to a model that was moved meanwhile", async () => {
    const model = await save(2);
    await save(1);
    const move = { kind: "return" as const, to: null, reason: "It harms" };
    expect(await recordCheck(database.sql, { model, ...found, move })).toBe(false);
    expect(await read(model)).toMatchObject({ status: "retired", health: "fresh", checked_at: null });
    expect(await modelCheckStore(database.sql).list("production", model.version, 10)).toEqual([]);
    expect(await database.sql`select from audit_log`).toHaveLength(0);
  });
});

describe("predecessorOf()", () => {
  test("is the latest one before that is neither stopped nor too old", async () => {
    await save(9);
    const fit = await save(6);
    const harmful = await save(4);
    await database.sql`update models set health = 'stopped' where version = ${harmful.version}`;
    const live = await save(1);
    expect(await predecessorOf(database.sql, live, NOW - 7 * DAY)).toBe(fit.version);
    expect(await predecessorOf(database.sql, live, NOW - 5 * DAY)).toBeNull();
  });

  test("is never one that came to decide later", async () => {
    const first = await save(3);
    await save(1);
    expect(await predecessorOf(database.sql, first, NOW - 7 * DAY)).toBeNull();
  });
});

describe("shadowCandidate()", () => {
  test("is the newest candidate after the live model that has no users", async () => {
    await save(4, false);
    const live = await save(3);
    expect(await shadowCandidate(database.sql, live)).toBeNull();
    await save(2, false);
    const newest = await save(1, false);
    expect(await shadowCandidate(database.sql, live)).toBe(newest.version);
  });
});
