import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { openSql, type Sql } from "../../server/postgres/sql.ts";

declare module "vitest" {
  interface ProvidedContext {
    database: { url: string; template: string };
  }
}

export interface TestDatabase {
  readonly url: string;
  readonly sql: Sql;
  close(): Promise<void>;
}

/** A migrated database of the test's own, dropped by `close`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject("database");
  const name = `aff_test_${randomBytes(6).toString("hex")}`;
  const admin = openSql(server.url, { max: 1 });
  await admin`create database ${admin(name)} template ${admin(server.template)} strategy file_copy`;
  const url = databaseUrl(server.url, name);
  const sql = openSql(url);
  const close = async () => {
    await sql.end({ timeout: 5 });
    await admin`drop database ${admin(name)} with (force)`;
    await admin.end();
  };
  return { url, sql, close };
}

/** The same server, another database. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
