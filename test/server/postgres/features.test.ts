import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FeatureDefinition } from "../../../core/feature/feature.ts";
import { Conflict, type FeatureStore, Invalid, StaleVersion, type WriteCheck } from "../../../core/ports.ts";
import { featureStore } from "../../../server/postgres/features.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const author = { actor: "ada", reason: "trying" };
let database: TestDatabase;
let store: FeatureStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = featureStore(database.sql);
  await database.sql`insert into environments (key) values ('staging')`;
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.sql`truncate features, feature_revisions`;
});

describe("createMissing()", () => {
  const features = (...keys: string[]) => keys.map(feature);

  test("creates as create() does, in order, with a revision each, and leaves out what is there", async () => {
    const there = await store.create("production", { ...feature("b"), name: "Was there" }, author);
    await store.create("production", feature("one-by-one"), author);
    expect(await store.createMissing("production", features("c", "b", "a"), author)).toEqual(["c", "a"]);
    expect(await store.get("production", "b")).toEqual(there);
    expect((await store.list("production")).map(({ key }) => key)).toEqual(["b", "one-by-one", "c", "a"]);
    for (const key of ["one-by-one", "c"]) {
      expect(await store.get("production", key)).toMatchObject({ ...feature(key), version: 1 });
      expect(await store.revisions("production", key)).toMatchObject([
        { version: 1, actor: "ada", reason: "trying", definition: feature(key) },
      ]);
    }
    expect(await store.createMissing("staging", features("b"), author)).toEqual(["b"]);
  });

  test("moves the environment's revision once, and not at all when nothing is missing", async () => {
    const revision = async () =>
      (await database.sql<{ revision: number }[]>`select revision from environments where key = 'production'`)[0]
        ?.revision ?? 0;
    const before = await revision();
    await store.createMissing("production", features("a", "b", "c"), author);
    expect(await revision()).toBe(before + 1);
    expect(await store.createMissing("production", features("c", "a"), author)).toEqual([]);
    expect(await revision()).toBe(before + 1);
  });

  test("of racing writers each key has one", async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `race-${n}`);
    const made = await Promise.all(
      Array.from({ length: 6 }, () => store.createMissing("production", features(...keys), author)),
    );
    expect(made.flat().toSorted()).toEqual(keys.toSorted());
    const [count] = await database.sql`select count(*) as revisions from feature_revisions`;
    expect(count).toEqual({ revisions: 50 });
  });

  test("names an environment that does not exist", async () => {
    await expect(store.createMissing("nowhere", features("a"), author)).rejects.toThrow(Invalid);
  });
});

describe("create()", () => {
  test("returns the feature as get() and list() find it", async () => {
    const made = await store.create("production", feature("checkout"), author);
    expect(made).toMatchObject({ ...feature("checkout"), environment: "production", version: 1 });
    expect(Number.isInteger(made.id)).toBe(true);
    expect(made.created_at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(await store.get("production", "checkout")).toEqual(made);
    expect(await store.get("production", String(made.id))).toEqual(made);
    expect(await store.list("production")).toEqual([made]);
  });

  test("keeps the order of variants and every key, however odd", async () => {
    const variants = JSON.parse(
      '{"zebra": 1, "a": {"z": 1, "b": [2], "__proto__": {"polluted": true}}, "__proto__": "x", "constructor": "y", "nul": "\\u0000", "half": "\\ud83d"}',
    ) as FeatureDefinition["variants"];
    const made = await store.create("production", { ...feature("odd"), variants }, author);
    const read = await store.get("production", "odd");
    for (const found of [made.variants, read?.variants]) expect(JSON.stringify(found)).toBe(JSON.stringify(variants));
    expect(Object.keys(read?.variants ?? {})).toEqual(["zebra", "a", "__proto__", "constructor", "nul", "half"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("refuses a taken key and names who has it; another environment may use it", async () => {
    const made = await store.create("production", feature("checkout"), author);
    const again = store.create("production", feature("checkout"), author);
    await expect(again).rejects.toThrow(Conflict);
    await expect(again).rejects.toThrow(
      `The key "checkout" is taken by feature ${made.id}; choose another or PUT to it`,
    );
    await store.create("staging", feature("checkout"), author);
    expect(await store.list("staging")).toHaveLength(1);
  });

  test("lets one of twenty racing writers have the key", async () => {
    const other = openSql(database.url);
    const stores = [store, featureStore(other)];
    const attempts = Array.from({ length: 20 }, (_, n) => stores[n % 2]?.create("production", feature("race"), author));
    const results = await Promise.allSettled(attempts);
    await other.end();
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toBeInstanceOf(Conflict);
    expect(await store.revisions("production", "race")).toHaveLength(1);
  });

  test("names the known environments when it gets an unknown one", async () => {
    const refused = store.create("nowhere", feature("checkout"), author);
    await expect(refused).rejects.toThrow(Invalid);
    await expect(refused).rejects.toThrow('There is no environment "nowhere"; there are: production, staging');
    await expect(store.list("nowhere")).rejects.toMatchObject({ code: "unknown_environment" });
  });

  test("undoes the write when the check throws, and shows the check the write", async () => {
    let seen: readonly string[] = [];
    const refuse: WriteCheck = (after) => {
      seen = after.features.map(({ key }) => key);
      throw new Invalid("circle", "no");
    };
    await store.create("production", feature("first"), author);
    await expect(store.create("production", feature("second"), author, refuse)).rejects.toThrow("no");
    expect(seen).toEqual(["first", "second"]);
    expect(await store.get("production", "second")).toBeUndefined();
    expect(await store.revisions("production", "second")).toEqual([]);
  });
});

describe("update()", () => {
  test("hands the stored feature to the change and counts the version", async () => {
    const made = await store.create("production", feature("checkout"), author);
    const changed = await store.update("production", String(made.id), rename("New"), author, { expected: 1 });
    expect(changed).toMatchObject({ id: made.id, name: "New", version: 2, created_at: made.created_at });
    expect(await store.get("production", "checkout")).toEqual(changed);
    expect(await store.update("production", "unknown", rename("New"), author, { expected: 1 })).toBeUndefined();
  });

  test("refuses a writer who saw another version", async () => {
    await store.create("production", feature("checkout"), author);
    const stale = store.update("production", "checkout", rename("New"), author, { expected: 7 });
    await expect(stale).rejects.toThrow(StaleVersion);
    await expect(stale).rejects.toThrow("The stored version is 1, not 7: read it again and repeat the change");
  });

  test("lets one of two racing writers with the same expectation win", async () => {
    await store.create("production", feature("checkout"), author);
    const results = await Promise.allSettled(
      ["A", "B"].map((name) => store.update("production", "checkout", rename(name), author, { expected: 1 })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { name: "StaleVersion" } });
    expect(await store.get("production", "checkout")).toMatchObject({ version: 2 });
  });

  test("loses no change of writers without expectation", async () => {
    await store.create("production", feature("checkout"), author);
    const addTag = (tag: string) => (stored: FeatureDefinition) => ({ ...stored, tags: [...stored.tags, tag] });
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => store.update("production", "checkout", addTag(`t${n}`), author)),
    );
    const stored = await store.get("production", "checkout");
    expect(stored?.version).toBe(11);
    expect(new Set(stored?.tags).size).toBe(10);
  });

  test("refuses one of two racing writes that together would make a circle", async () => {
    await store.create("production", feature("a"), author);
    await store.create("production", feature("b"), author);
    const results = await Promise.allSettled([
      store.update("production", "a", requires("b"), author, { check: noCircle }),
      store.update("production", "b", requires("a"), author, { check: noCircle }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("may give the feature a free key, not a taken one", async () => {
    const made = await store.create("production", feature("old"), author);
    await store.create("production", feature("taken"), author);
    const to = (key: string) => (stored: FeatureDefinition) => ({ ...stored, key });
    await expect(store.update("production", "old", to("taken"), author)).rejects.toThrow(Conflict);
    await store.update("production", "old", to("new"), author);
    expect(await store.get("production", "old")).toBeUndefined();
    expect(await store.get("production", "new")).toMatchObject({ id: made.id, version: 2 });
  });

  test("keeps the key of a feature that a model decides: the model would stay behind", async () => {
    await store.create("production", feature("learned"), author);
    await database.sql`
      insert into models (environment, version, feature_key, number, status, learner, trained_at, artifact, hash, seed, metrics, process, verdict)
      values ('production', 'learned@1', 'learned', 1, 'live', 'logistic', now(), '{}', '', 1, '{}', '{}', '')`;
    const other = (stored: FeatureDefinition) => ({ ...stored, key: "other" });
    await expect(store.update("production", "learned", other, author)).rejects.toThrow(
      /its model learned@1.*keep the key/,
    );
    await store.update("production", "learned", rename("New"), author);
    await database.sql`delete from models`;
    expect((await store.update("production", "learned", other, author))?.key).toBe("other");
  });
});

describe("remove()", () => {
  test("records who removed it; the key is free and starts over", async () => {
    const made = await store.create("production", feature("checkout"), author);
    await expect(store.remove("production", "checkout", author, { expected: 2 })).rejects.toThrow(StaleVersion);
    expect(await store.remove("production", "checkout", { actor: "bob" }, { expected: 1 })).toBe(true);
    expect(await store.remove("production", "checkout", author)).toBe(false);
    expect(await store.get("production", String(made.id))).toBeUndefined();
    for (const name of ["checkout", String(made.id)])
      expect(await store.revisions("production", name)).toMatchObject([
        { version: 2, actor: "bob", reason: null, definition: null },
        { version: 1, actor: "ada", reason: "trying", definition: feature("checkout") },
      ]);
    const again = await store.create("production", feature("checkout"), author);
    expect(again.version).toBe(1);
    expect(await store.revisions("production", "checkout")).toHaveLength(1);
  });

  test("leaves nothing that would decide for a later feature of the same key", async () => {
    await store.create("production", feature("checkout"), author);
    await database.sql`
      insert into models (environment, version, feature_key, number, status, learner, trained_at, artifact, hash, seed, metrics, process, verdict)
      values ('production', 'checkout@1', 'checkout', 1, 'live', 'logistic', now(), '{}', '', 1, '{}', '{}', '')`;
    await store.remove("production", "checkout", author);
    expect([...(await database.sql`select status from models`)]).toEqual([{ status: "retired" }]);
  });
});

test("get() prefers the id to a key of the same digits", async () => {
  const made = await store.create("production", feature("some"), author);
  await store.create("production", feature(String(made.id)), author);
  await store.create("production", feature("0815"), author);
  expect((await store.get("production", String(made.id)))?.key).toBe("some");
  expect((await store.get("production", "0815"))?.key).toBe("0815");
  expect(await store.get("staging", String(made.id))).toBeUndefined();
  expect(await store.get("production", "9".repeat(40))).toBeUndefined();
});

test("every write moves the revision of its environment only, and tells it after the commit", async () => {
  const heard: string[] = [];
  const { unlisten } = await database.sql.listen("configuration", (environment) => heard.push(environment));
  const before = await revisions();
  await store.create("production", feature("checkout"), author);
  await store.update("production", "checkout", rename("New"), author);
  await store.remove("production", "checkout", author);
  await store.remove("production", "checkout", author);
  await store
    .create("production", feature("x"), author, () => {
      throw new Error("no");
    })
    .catch(() => {});
  const after = await revisions();
  expect(after.production).toBe((before.production ?? 0) + 3);
  expect(after.staging).toBe(before.staging);
  await expect.poll(() => heard).toEqual(["production", "production", "production"]);
  await unlisten();
});

async function revisions(): Promise<Record<string, number>> {
  const rows = await database.sql<{ key: string; revision: number }[]>`select key, revision from environments`;
  return Object.fromEntries(rows.map(({ key, revision }) => [key, revision]));
}

function feature(key: string): FeatureDefinition {
  return {
    key,
    name: `Feature ${key}`,
    description: null,
    type: "boolean",
    variants: { on: true, off: false },
    enabled: true,
    off_variant: "off",
    steps: [],
    fallback_variant: "off",
    objective: null,
    tags: [],
    owner: null,
    expires_at: null,
  };
}

function rename(name: string) {
  return (stored: FeatureDefinition): FeatureDefinition => ({ ...stored, name });
}

function requires(key: string) {
  return (stored: FeatureDefinition): FeatureDefinition => ({ ...stored, owner: key });
}

/** Stands for the real check: `owner` names the feature this one needs. */
const noCircle: WriteCheck = ({ features }) => {
  const needs = new Map(features.map(({ key, owner }) => [key, owner]));
  for (const [key, needed] of needs)
    if (needed !== null && needs.get(needed) === key) throw new Invalid("circle", `${key} and ${needed}`);
};
