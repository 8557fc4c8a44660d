import { afterAll, expect, inject, test } from "vitest";
import { migrate, whyTooOld } from "../../../server/postgres/migrate.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { databaseUrl } from "../../support/database.ts";

const admin = openSql(inject("database").url, { max: 1 });
const name = `aff_migrate_${process.pid}`;
const url = databaseUrl(inject("database").url, name);
afterAll(async () => {
  await admin`drop database if exists ${admin(name)} with (force)`;
  await admin.end();
});

test("migrate() leaves one schema, with the job queue, however many processes start at once", async () => {
  await admin`create database ${admin(name)}`;
  await Promise.all([migrate(url), migrate(url), migrate(url)]);
  await migrate(url);
  const sql = openSql(url, { max: 1 });
  const done = await sql<{ name: string }[]>`select name from schema_migrations order by name`;
  expect(done[0]?.name).toBe("0001_base");
  expect(new Set(done.map((migration) => migration.name)).size).toBe(done.length);
  expect([...(await sql`select key from environments`)]).toEqual([{ key: "production" }]);
  await sql`select graphile_worker.add_job('nothing')`;
  await sql.end();
});

test("migrate() rejects when there is no server", async () => {
  await expect(migrate("postgres://postgres@127.0.0.1:1/none")).rejects.toThrow(/ECONNREFUSED/);
});

test.each([
  ["90624", "9.6.24", "it is PostgreSQL 9.6.24"],
  ["130016", "13.16", "it is PostgreSQL 13.16"],
  ["149999", "14.99 (Debian 14.99-1.pgdg120+1)", "it is PostgreSQL 14.99 (Debian 14.99-1.pgdg120+1)"],
  ["150000", "15beta1", undefined],
  ["180004", "18.4", undefined],
  ["", "", "it is PostgreSQL "],
])("whyTooOld() of version %s (%s) is %s", (number, name, why) => {
  expect(whyTooOld({ number, name })).toBe(why);
});

test("whyTooOld() takes the server these tests run on, and refuses one that does not tell", async () => {
  const [found] = await admin<{ number: string; name: string }[]>`
    select current_setting('server_version_num') as number, current_setting('server_version') as name`;
  expect(whyTooOld(found)).toBeUndefined();
  expect(whyTooOld(undefined)).toBe("it is PostgreSQL of an unknown version");
});
