import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunLock, takeRunLock } from "../../../server/postgres/run-lock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openLine } from "../../support/line.ts";
import { waitUntil } from "../../support/wait-until.ts";

const JOB = "11111111-1111-4111-8111-111111111111";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describe("takeRunLock()", () => {
  test("lets one worker run a job, and the next one after its release", async () => {
    const first = await takeRunLock(database.url, JOB);
    expect(first).toBeDefined();
    expect(await takeRunLock(database.url, JOB)).toBeUndefined();
    await first?.release();
    const second = await takeRunLock(database.url, JOB);
    expect(second).toBeDefined();
    await second?.release();
  });

  test("frees the job of a worker that vanished without closing its connection", async () => {
    const line = await openLine(database.url);
    const vanished = await takeRunLock(line.url, JOB);
    expect(vanished).toBeDefined();
    line.swallow();
    let next: RunLock | undefined;
    await waitUntil(async () => {
      next = await takeRunLock(database.url, JOB);
      return next !== undefined;
    }, 40_000);
    await next?.release();
    await vanished?.release();
    await line.close();
  }, 60_000);
});
