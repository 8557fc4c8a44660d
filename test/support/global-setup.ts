import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../server/postgres/embedded.ts";
import { migrate } from "../../server/postgres/migrate.ts";
import { openSql } from "../../server/postgres/sql.ts";
import { databaseUrl } from "./database.ts";

/** One server for the whole run: TEST_DATABASE_URL, else an embedded one; in it, one migrated template to clone. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "aff-test-"));
  const server = await openDatabase({
    databaseUrl: process.env.TEST_DATABASE_URL,
    dataDir: directory,
    settings: { fsync: "off", max_connections: 200 },
  });
  const template = `aff_template_${process.pid}`;
  const sql = openSql(server.url, { max: 1 });
  await sql`create database ${sql(template)}`;
  await migrate(databaseUrl(server.url, template));
  project.provide("database", { url: server.url, template });
  return async () => {
    await sql`drop database ${sql(template)} with (force)`;
    await sql.end();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
