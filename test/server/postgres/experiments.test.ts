import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import type { ExperimentStore } from "../../../core/ports.ts";
import { experimentStore } from "../../../server/postgres/experiments.ts";
import { featureStore } from "../../../server/postgres/features.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { STRATEGIES } from "../../support/make-configuration.ts";

const KEYS = [
  "stored",
  "heard",
  "hidden",
  "raced",
  "restarted",
  "second",
  "counted",
  "uncounted",
  "counted-later",
  "unseen",
];

let database: TestDatabase;
let store: ExperimentStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = experimentStore(database.sql);
  await database.sql`insert into environments (key) values ('staging')`;
  for (const key of KEYS)
    for (const environment of ["production", "staging"])
      await featureStore(database.sql).create(environment, feature(key), { actor: "ada" });
});
afterAll(() => database.close());

const definition = {
  name: "Checkout button",
  feature_key: "checkout",
  primary_metric_event: "purchase",
  min_samples_per_variant: 100,
  min_lift: 0.02,
  alpha: 0.05,
  enabled: true,
  arms: [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "on", weight: 50 },
  ],
};

const feature = (key: string) =>
  toDefinition(FeatureWrite.parse({ key, name: "Feature" }), { strategies: STRATEGIES, stored: undefined });

describe("experimentStore()", () => {
  test("stores what was asked with a seed of its own, and counts it as a change of what is served", async () => {
    const before = await revision("production");
    const experiment = await store.create("production", { ...definition, feature_key: "stored" });
    expect(experiment).toMatchObject({ ...definition, feature_key: "stored", ended_at: null });
    expect(experiment.seed).toBe(`experiment-${experiment.id}`);
    expect(await store.get("production", experiment.id)).toEqual(experiment);
    expect(await store.list("production")).toContainEqual(experiment);
    expect(await revision("production")).toBe(before + 1);
  });

  test("tells listeners after the commit", async () => {
    const heard: string[] = [];
    const { unlisten } = await database.sql.listen("configuration", (environment) => heard.push(environment));
    await store.create("staging", { ...definition, feature_key: "heard" });
    await expect.poll(() => heard).toEqual(["staging"]);
    await unlisten();
  });

  test("is blind across environments", async () => {
    const experiment = await store.create("production", { ...definition, feature_key: "hidden" });
    expect(await store.get("staging", experiment.id)).toBeUndefined();
    expect(await store.setEnabled("staging", experiment.id, false)).toBeUndefined();
    expect(await store.counts("staging", experiment.id)).toEqual({});
    expect((await store.get("production", experiment.id))?.enabled).toBe(true);
  });

  test("lets one experiment run on a feature, even of two created at once", async () => {
    const asked = { ...definition, feature_key: "raced" };
    const outcomes = await Promise.allSettled([store.create("production", asked), store.create("production", asked)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(store.create("production", asked)).rejects.toThrow('already runs on feature "raced"');
    await expect(store.create("staging", asked)).resolves.toMatchObject({ enabled: true });
    await expect(store.create("production", { ...asked, enabled: false })).resolves.toMatchObject({ enabled: false });
  });

  test("starts a waiting experiment once, and never an ended one", async () => {
    const asked = { ...definition, feature_key: "restarted", enabled: false };
    const { id } = await store.create("production", asked);
    expect(await store.setEnabled("production", id, true)).toMatchObject({ enabled: true, ended_at: null });
    const ended = await store.setEnabled("production", id, false);
    expect(ended?.enabled).toBe(false);
    expect(ended?.ended_at).not.toBeNull();
    expect(await store.setEnabled("production", id, false)).toEqual(ended);
    await expect(store.setEnabled("production", id, true)).rejects.toThrow("cannot be started again");
    const next = await store.create("production", { ...asked, enabled: true });
    expect(next.seed).not.toBe(ended?.seed);
  });

  test("refuses to start a second one beside the first", async () => {
    const asked = { ...definition, feature_key: "second" };
    const waiting = await store.create("production", { ...asked, enabled: false });
    await store.create("production", asked);
    await expect(store.setEnabled("production", waiting.id, true)).rejects.toThrow("already runs");
  });

  test("counts exposed users, not events, and only what they did after they were exposed", async () => {
    const { id } = await store.create("production", { ...definition, feature_key: "counted" });
    const other = await store.create("production", { ...definition, feature_key: "uncounted" });
    await expose(id, { ann: "A", ben: "A", cleo: "A", dora: "B", eric: "B", fay: "B", gus: "B" });
    await expose(other.id, { hal: "B" });
    await act("ann", { at: "10:00" });
    await act("ann", { at: "11:00" });
    await act("ben", { at: "08:59" });
    await act("cleo", { at: "10:00", event_type: "view" });
    await act("dora", { at: "09:00" });
    await act("eric", { at: "10:00", feature_key: "uncounted" });
    await act("fay", { at: "10:00", environment: "staging" });
    await act("gus", { at: "08:00" });
    await act("gus", { at: "12:00" });
    await act("hal", { at: "10:00" });
    await act("never-exposed", { at: "10:00" });
    const first_at = Date.parse("2026-03-01T09:00:00Z");
    expect(await store.counts("production", id)).toEqual({
      A: { users: 3, positives: 1, first_at },
      B: { users: 4, positives: 2, first_at },
    });
  });

  test("does not count what happened after the end", async () => {
    const { id } = await store.create("production", { ...definition, feature_key: "counted-later" });
    await expose(id, { ida: "A", jon: "B" });
    await act("ida", { at: "10:00", feature_key: "counted-later" });
    await act("jon", { at: "10:00", feature_key: "counted-later", day: "2126-03-01" });
    expect(await store.counts("production", id)).toMatchObject({ B: { users: 1, positives: 1 } });
    await store.setEnabled("production", id, false);
    expect(await store.counts("production", id)).toMatchObject({
      A: { users: 1, positives: 1 },
      B: { users: 1, positives: 0 },
    });
  });

  test("has no counts before anyone was exposed", async () => {
    const { id } = await store.create("production", { ...definition, feature_key: "unseen" });
    await act("kim", { at: "10:00", feature_key: "unseen" });
    expect(await store.counts("production", id)).toEqual({});
  });
});

async function revision(environment: string): Promise<number> {
  const [row] = await database.sql<{ revision: number }[]>`
    select revision from environments where key = ${environment}`;
  return row?.revision ?? Number.NaN;
}

/** At 09:00. */
async function expose(experimentId: number, arms: Readonly<Record<string, string>>): Promise<void> {
  for (const [user, arm] of Object.entries(arms))
    await database.sql`
      insert into experiment_exposures (experiment_id, user_id, arm, first_at)
      values (${experimentId}, ${user}, ${arm}, '2026-03-01T09:00:00Z')`;
}

async function act(
  user: string,
  {
    at,
    day = "2026-03-01",
    environment = "production",
    feature_key = "counted",
    event_type = "purchase",
  }: { at: string; day?: string; environment?: string; feature_key?: string; event_type?: string },
): Promise<void> {
  await database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type)
    values (${environment}, ${`${day}T${at}:00Z`}, ${user}, ${feature_key}, ${event_type})`;
}
