import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TrainedVersion } from "../../../core/ports.ts";
import { Conflict, type ModelStore } from "../../../core/ports.ts";
import { modelStore } from "../../../server/postgres/models.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
let store: ModelStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = modelStore(database.sql);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.sql`truncate models, audit_log, training_jobs cascade`;
});

describe("save()", () => {
  test("numbers versions per scope and returns what get() finds", async () => {
    const first = await store.save("production", trained("checkout"), false);
    expect(first).toMatchObject({ ...trained("checkout"), version: "checkout@1", status: "candidate" });
    expect(await store.get("production", "checkout@1")).toEqual(first);
    expect((await store.save("production", trained("checkout"), false)).version).toBe("checkout@2");
    expect((await store.save("production", trained("search"), false)).version).toBe("search@1");
    expect((await store.save("production", trained(null), false)).version).toBe("global@1");
    expect((await store.save("production", trained("global"), false)).version).toBe("global@2");
  });

  test("makes a promoted model live and retires the one before", async () => {
    await store.save("production", trained("checkout"), "live");
    await store.save("production", trained(null), "live");
    await store.save("production", trained("checkout"), "live");
    expect(await store.live("production", "checkout")).toMatchObject({ version: "checkout@2" });
    expect(await store.live("production", null)).toMatchObject({ version: "global@1" });
    expect(await store.get("production", "checkout@1")).toMatchObject({ status: "retired" });
    expect(new Set(await store.allLive("production"))).toEqual(
      new Set([
        { version: "checkout@2", feature_key: "checkout", health: "fresh" },
        { version: "global@1", feature_key: null, health: "fresh" },
      ]),
    );
  });

  test("gives a challenger a share of the live model's users, and takes the former challenger's back", async () => {
    const first = await store.save("production", trained("checkout"), { traffic: 0.1 });
    // Nobody to take over from.
    expect(first).toMatchObject({ status: "live", traffic: 1 });
    const second = await store.save("production", trained("checkout"), { traffic: 0.1 });
    expect(second).toMatchObject({ status: "candidate", traffic: 0.1, ramped_at: second.trained_at });
    const third = await store.save("production", trained("checkout"), { traffic: 0.2 });
    expect(await store.challenger("production", "checkout")).toMatchObject({ version: third.version, traffic: 0.2 });
    expect(await store.get("production", second.version)).toMatchObject({ status: "candidate", traffic: 0 });
    expect(await store.live("production", "checkout")).toMatchObject({ version: first.version });
    const challenge = ["training", "model.challenge"];
    expect(await audited()).toMatchObject([
      [...challenge, second.version, expect.stringContaining("10 %")],
      [...challenge, third.version, expect.stringContaining("20 %")],
    ]);
  });

  test("keeps one live model when ten are promoted at once", async () => {
    const saved = await Promise.all(
      Array.from({ length: 10 }, () => store.save("production", trained("checkout"), "live")),
    );
    expect(new Set(saved.map(({ version }) => version)).size).toBe(10);
    const counts = await database.sql`select status, count(*) as n from models group by status order by status`;
    expect([...counts]).toEqual([
      { status: "live", n: 1 },
      { status: "retired", n: 9 },
    ]);
  });

  test("stores one model for a job that ran twice", async () => {
    const job_id = await job();
    const [first, second] = await Promise.all([
      store.save("production", { ...trained("checkout"), job_id }, "live"),
      store.save("production", { ...trained("checkout"), job_id, verdict: "the second run" }, "live"),
    ]);
    expect(first).toEqual(second);
    expect(await store.runs("production", { limit: 10 })).toHaveLength(1);
  });

  test("becomes part of a transaction it is given", async () => {
    const undone = database.sql.begin(async (tx) => {
      await modelStore(tx).save("production", trained("checkout"), "live");
      throw new Error("The job was cancelled");
    });
    await expect(undone).rejects.toThrow("cancelled");
    expect(await store.runs("production", { limit: 10 })).toEqual([]);
  });

  test("moves the revision only when what is served changes", async () => {
    const before = await revision();
    await store.save("production", trained("checkout"), false);
    expect(await revision()).toBe(before);
    await store.save("production", trained("checkout"), "live");
    expect(await revision()).toBe(before + 1);
  });
});

describe("runs()", () => {
  test("lists the newest first, of one scope or of all, without artifacts", async () => {
    for (const [day, key] of [
      ["01", "a"],
      ["03", null],
      ["02", "b"],
    ] as const)
      await store.save("production", { ...trained(key), trained_at: `2026-01-${day}T00:00:00.000Z` }, false);
    const versions = async (feature_key?: string | null) =>
      (await store.runs("production", { limit: 10, feature_key })).map(({ version }) => version);
    expect(await versions()).toEqual(["global@1", "b@1", "a@1"]);
    expect(await versions(null)).toEqual(["global@1"]);
    expect(await versions("a")).toEqual(["a@1"]);
    const runs = await store.runs("production", { limit: 2 });
    expect(runs).toHaveLength(2);
    expect(runs[0]).not.toHaveProperty("artifact");
    expect(runs[0]).toMatchObject({ target: "uplift" });
    expect(runs[0]).toMatchObject({ metrics: trained(null).metrics, trained_at: "2026-01-03T00:00:00.000Z" });
  });
});

describe("promote()", () => {
  test("gives a candidate all users, retires the live model and writes down who wanted it", async () => {
    await store.save("production", trained("checkout"), "live");
    const candidate = await store.save("production", trained("checkout"), false);
    await database.sql`
      update models set traffic = 0.25, health = 'warning', health_detail = 'drifts' where version = 'checkout@2'`;
    expect(await store.challenger("production", "checkout")).toMatchObject({ version: "checkout@2", traffic: 0.25 });
    const before = await revision();
    const promoted = await store.promote("production", candidate.version, { actor: "ada", reason: "lifts" });
    expect(promoted).toMatchObject({ status: "live", traffic: 1, health: "fresh", health_detail: null });
    expect(promoted?.ramped_at).not.toBeNull();
    expect(await store.get("production", "checkout@1")).toMatchObject({ status: "retired", traffic: 0 });
    expect(await store.challenger("production", "checkout")).toBeUndefined();
    expect(await revision()).toBe(before + 1);
    expect(await audited()).toEqual([["ada", "model.promote", "checkout@2", "lifts"]]);
  });

  test("refuses a candidate that was not found better, unless it is forced", async () => {
    await store.save("production", trained("checkout"), "live");
    await store.save("production", { ...trained("checkout"), verdict: "It does not beat plain rollout." }, false);
    const refused = store.promote("production", "checkout@2", { actor: "ada" });
    await expect(refused).rejects.toMatchObject({
      name: "Conflict",
      code: "not_better",
      message: expect.stringContaining("It does not beat plain rollout."),
    });
    expect(await store.live("production", "checkout")).toMatchObject({ version: "checkout@1" });
    expect(await audited()).toEqual([]);
    await store.promote("production", "checkout@2", { actor: "ada", reason: "we know better" }, { force: true });
    expect(await store.live("production", "checkout")).toMatchObject({ version: "checkout@2" });
    expect(await audited()).toEqual([["ada", "model.promote.forced", "checkout@2", "we know better"]]);
  });

  test("takes the users back from a candidate that was taking over from the retired model", async () => {
    for (const promotion of ["live", false, false] as const)
      await store.save("production", trained("checkout"), promotion);
    await database.sql`update models set traffic = 0.5 where version = 'checkout@2'`;
    await store.promote("production", "checkout@3", { actor: "ada", reason: "now" }, { force: true });
    expect(await store.get("production", "checkout@2")).toMatchObject({ status: "candidate", traffic: 0 });
  });

  test("changes nothing when the version is live already, is unknown or has failed, forced or not", async () => {
    await store.save("production", trained("checkout"), "live");
    await store.save("production", trained("checkout"), false);
    await database.sql`update models set status = 'failed' where version = 'checkout@2'`;
    const promote = (version: string) =>
      store.promote("production", version, { actor: "ada", reason: "why not" }, { force: true });
    expect(await promote("checkout@1")).toMatchObject({ status: "live" });
    expect(await promote("checkout@9")).toBeUndefined();
    await expect(promote("checkout@2")).rejects.toThrow("failed while it was trained");
    expect(await audited()).toEqual([]);
  });
});

test("save() writes down who asked for the training of a model that decides from now on, and why", async () => {
  const author = { actor: "ada", reason: "New prices" };
  await store.save("production", trained("checkout"), "live");
  expect(await audited()).toEqual([]);
  const { version, verdict } = await store.save("production", trained("checkout"), "live", author);
  await store.save("production", trained("checkout"), false, author);
  await store.save("production", trained("checkout"), { traffic: 0.1 }, { actor: "bob" });
  expect(await audited()).toEqual([
    ["ada", "model.live", version, `New prices: ${verdict}`],
    ["bob", "model.challenge", "checkout@4", `It takes 10 % of the live model's users. ${verdict}`],
  ]);
});

describe("rollback()", () => {
  test("makes an earlier version live again and writes down who wanted it", async () => {
    await store.save("production", trained("checkout"), "live");
    await store.save("production", trained("checkout"), "live");
    const before = await revision();
    const back = await store.rollback("production", "checkout@1", { actor: "ada", reason: "worse" });
    expect(back).toMatchObject({ version: "checkout@1", status: "live" });
    expect(await store.live("production", "checkout")).toEqual(back);
    expect(await store.get("production", "checkout@2")).toMatchObject({ status: "retired" });
    expect(await revision()).toBe(before + 1);
    const log = await database.sql`select environment, actor, action, subject, reason from audit_log`;
    expect([...log]).toEqual([
      { environment: "production", actor: "ada", action: "model.rollback", subject: "checkout@1", reason: "worse" },
    ]);
  });

  test("changes nothing when the version is live already, is unknown or has failed", async () => {
    await store.save("production", trained("checkout"), "live");
    await store.save("production", trained("checkout"), false);
    await database.sql`update models set status = 'failed' where version = 'checkout@2'`;
    const before = await revision();
    expect(await store.rollback("production", "checkout@1", { actor: "ada" })).toMatchObject({ status: "live" });
    expect(await store.rollback("production", "checkout@9", { actor: "ada" })).toBeUndefined();
    await expect(store.rollback("production", "checkout@2", { actor: "ada" })).rejects.toThrow(Conflict);
    expect(await revision()).toBe(before);
    expect(await database.sql`select from audit_log`).toHaveLength(0);
  });

  test("leaves one live model when it races with a promotion", async () => {
    for (let n = 0; n < 3; n++) await store.save("production", trained("checkout"), "live");
    await Promise.all([
      store.rollback("production", "checkout@1", { actor: "ada" }),
      store.save("production", trained("checkout"), "live"),
      store.rollback("production", "checkout@2", { actor: "bob" }),
    ]);
    expect(await database.sql`select from models where status = 'live'`).toHaveLength(1);
  });
});

async function audited(): Promise<unknown[]> {
  const rows = await database.sql`select actor, action, subject, reason from audit_log order by id`;
  return rows.map(({ actor, action, subject, reason }) => [actor, action, subject, reason]);
}

async function revision(): Promise<number> {
  const [row] = await database.sql<{ revision: number }[]>`select revision from environments where key = 'production'`;
  return row?.revision ?? 0;
}

async function job(): Promise<string> {
  const job_id = randomUUID();
  await database.sql`insert into training_jobs (job_id, environment, request) values (${job_id}, 'production', '{}')`;
  return job_id;
}

function trained(featureKey: string | null): TrainedVersion {
  return {
    feature_key: featureKey,
    learner: "logistic",
    trained_at: "2026-01-01T00:00:00.000Z",
    artifact: { target: "uplift", categories: ["z", "a", "\u0000"], weights: [0.1, 1e-300] },
    hash: "00ff",
    seed: 7,
    metrics: { roc_auc: 0.75 },
    process: { duration_ms: 12 },
    verdict: "Better than plain rollout",
    job_id: null,
  };
}
