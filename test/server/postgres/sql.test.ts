import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test("openSql() reads bigint as number", async () => {
  const [row] = await database.sql`select count(*) as n, 9007199254740991::bigint as largest from environments`;
  expect(row).toEqual({ n: 1, largest: 9007199254740991 });
});
