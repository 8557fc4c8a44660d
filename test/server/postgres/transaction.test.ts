import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onConnectionClosed, openSql, type Sql, type Transaction } from "../../../server/postgres/sql.ts";
import { transaction } from "../../../server/postgres/transaction.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { openLine } from "../../support/line.ts";

// What these tests are about does not show as a failed assertion: vitest fails the run on an exception outside of promises.

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = openSql(database.url);
  await database.sql`create table notes (note text)`;
});
afterAll(async () => {
  await sql.end({ timeout: 0 });
  await database.close();
});

async function cut(t: Transaction): Promise<void> {
  const [row] = await t<{ pid: number }[]>`select pg_backend_pid() as pid`;
  await database.sql`select pg_terminate_backend(${row?.pid ?? 0})`;
}

describe("transaction()", () => {
  test("commits, and rolls back on an error of the work's own", async () => {
    expect(
      await transaction(sql, async (t) => {
        await t`insert into notes values ('kept')`;
        return "done";
      }),
    ).toBe("done");
    const failing = transaction(sql, async (t) => {
      await t`insert into notes values ('not kept')`;
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await sql`select note from notes`).toEqual([{ note: "kept" }]);
  });

  test("rolls a savepoint back alone", async () => {
    await transaction(sql, async (t) => {
      await t`insert into notes values ('outer')`;
      const inner = t.savepoint(async (s) => {
        await s`insert into notes values ('inner')`;
        throw new Error("only this");
      });
      await expect(inner).rejects.toThrow("only this");
    });
    expect(await sql`select note from notes where note in ('outer', 'inner')`).toEqual([{ note: "outer" }]);
  });

  test.each([
    ["while idle", async (t: Transaction) => cut(t)],
    ["and known to be so before the next query", async (t: Transaction) => cutAndNoticed(t)],
    ["while a query runs", async (t: Transaction) => void (await Promise.all([t`select pg_sleep(60)`, cutLater()]))],
    ["inside a savepoint", async (t: Transaction) => void (await t.savepoint((s) => cut(s).then(() => s`select 1`)))],
  ])("rejects when the connection is lost %s, and keeps nothing", async (_when, lose) => {
    const losing = transaction(sql, async (t) => {
      await t`insert into notes values ('lost')`;
      await lose(t);
      await t`insert into notes values ('after the loss')`;
    });
    await expect(losing).rejects.toThrow();
    expect(await database.sql`select note from notes where note like '%los%'`).toEqual([]);
  });

  test("is ended by PostgreSQL when its client vanishes, so that others get the rows it held", async () => {
    await sql`insert into notes values ('vanishing')`;
    const line = await openLine(database.url);
    const cutOff = openSql(line.url, { max: 1 });
    const holding = Promise.withResolvers<void>();
    const vanished = transaction(cutOff, async (t) => {
      await t`update notes set note = 'by the vanished' where note = 'vanishing'`;
      line.swallow();
      holding.resolve();
      await t`select 1`;
    });
    const never = expect(vanished).rejects.toThrow();
    await holding.promise;
    await transaction(sql, (t) => t`update notes set note = 'by the next' where note = 'vanishing'`);
    expect(await sql`select note from notes where note like 'by the%'`).toEqual([{ note: "by the next" }]);
    await cutOff.end({ timeout: 0 });
    await never;
    await line.close();
  });

  test("does not wait for ever for rows that a busy transaction holds", async () => {
    await sql`insert into notes values ('held')`;
    const holding = Promise.withResolvers<void>();
    const holder = transaction(sql, async (t) => {
      await t`update notes set note = 'by the holder' where note = 'held'`;
      holding.resolve();
      await t`select pg_sleep(60)`;
    });
    const ended = expect(holder).rejects.toThrow();
    await holding.promise;
    const waiting = transaction(sql, (t) => t`update notes set note = 'by the waiting' where note = 'held'`);
    await expect(waiting).rejects.toThrow(
      "Another transaction has held what this one needs for 8 s; nothing was changed",
    );
    await cutLater();
    await ended;
    await transaction(sql, (t) => t`delete from notes where note = 'held'`);
  });
});

async function cutAndNoticed(t: Transaction): Promise<void> {
  const noticed = Promise.withResolvers<void>();
  const stop = onConnectionClosed(sql, noticed.resolve);
  await cut(t);
  await noticed.promise;
  stop();
}

/** Cuts the connection from outside, once its query runs. */
async function cutLater(): Promise<void> {
  await expect
    .poll(async () => {
      const cut = await database.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid() and datname = current_database()`;
      return cut.length;
    })
    .toBeGreaterThan(0);
}
