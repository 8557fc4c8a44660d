import { afterAll, expect, inject, test } from "vitest";
import { migrate } from "../../../server/postgres/migrate.ts";
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
