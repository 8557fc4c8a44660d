import { afterAll, beforeAll, expect, test } from "vitest";
import type { Condition } from "../../../core/feature/condition.ts";
import { Conflict, type SegmentStore, StaleVersion } from "../../../core/ports.ts";
import { segmentStore } from "../../../server/postgres/segments.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const condition: Condition = { all: [{ attribute: "/plan", op: "in", value: ["pro", "team"] }, { not: false }] };
let database: TestDatabase;
let store: SegmentStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = segmentStore(database.sql);
});
afterAll(() => database.close());

test("a segment is created, read, changed and removed", async () => {
  const made = await store.create("production", { key: "payers", name: "Payers", condition });
  expect(made).toMatchObject({ environment: "production", key: "payers", name: "Payers", condition, version: 1 });
  expect(await store.get("production", "payers")).toEqual(made);
  const changed = await store.update("production", "payers", { name: "Paying", condition: true }, { expected: 1 });
  expect(changed).toMatchObject({ name: "Paying", condition: true, version: 2, created_at: made.created_at });
  expect(await store.list("production")).toEqual([changed]);
  expect(await store.remove("production", "payers")).toBe(true);
  expect(await store.remove("production", "payers")).toBe(false);
  expect(await store.update("production", "payers", { name: "x", condition: true })).toBeUndefined();
});

test("create() refuses a taken key, update() a stale version", async () => {
  await store.create("production", { key: "taken", name: "Taken", condition });
  await expect(store.create("production", { key: "taken", name: "Again", condition })).rejects.toThrow(Conflict);
  await expect(store.update("production", "taken", { name: "x", condition }, { expected: 9 })).rejects.toThrow(
    StaleVersion,
  );
  await expect(store.create("nowhere", { key: "x", name: "x", condition })).rejects.toMatchObject({
    code: "unknown_environment",
  });
});

test("remove() is undone when the check finds the segment in use", async () => {
  await store.create("production", { key: "used", name: "Used", condition });
  const inUse = () => {
    throw new Conflict("in use");
  };
  await expect(store.remove("production", "used", { check: inUse })).rejects.toThrow("in use");
  expect(await store.get("production", "used")).toMatchObject({ key: "used" });
});
