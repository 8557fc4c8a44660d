import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../server/postgres/embedded.ts";
import { giveTo, postgresUser } from "../../../server/postgres/embedded-user.ts";
import { migrate } from "../../../server/postgres/migrate.ts";
import { dropConnections, openSql } from "../../../server/postgres/sql.ts";

let directory: string;
let database: Database;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "aff-tls-"));
  const plain = await openDatabase({ dataDir: directory, settings: { fsync: "off" } });
  await plain.stop();
  const data = join(directory, "postgres");
  for (const [name, text] of [
    ["server.crt", CERTIFICATE],
    ["server.key", KEY],
  ] as const) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    giveTo(postgresUser([data]), join(data, name));
  }
  database = await openDatabase({ dataDir: directory, settings: { fsync: "off", ssl: "on" } });
});
afterAll(async () => {
  await database?.stop();
  await rm(directory, { recursive: true, force: true });
});

test.each([
  ["require", true],
  ["prefer", true],
  ["disable", false],
])("sslmode=%s: TLS %s, also for those who migrate", async (mode, encrypted) => {
  const url = `${database.url}?sslmode=${mode}`;
  await migrate(url);
  const sql = openSql(url, { max: 2 });
  const [row] = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  expect(row).toEqual({ ssl: encrypted });
  const [large] = await sql`select repeat('x', 3000000) as text, ${"y".repeat(3_000_000)}::text as sent`;
  expect([large?.text.length, large?.sent.length]).toEqual([3_000_000, 3_000_000]);
  await sql.end();
});

test("sslmode=verify-full refuses a certificate that nobody vouches for", async () => {
  const sql = openSql(`${database.url}?sslmode=verify-full`, { max: 1 });
  await expect(sql`select 1`.then(() => "answered")).rejects.toThrow(/self.signed/);
  await sql.end({ timeout: 0 });
});

// An error that nobody handles would end a real process; vitest fails the run on it.
test.each(["require", "disable"])(
  "sslmode=%s: a connection may be given up at any moment of its life, and the pool goes on",
  async (mode) => {
    const sql = openSql(`${database.url}?sslmode=${mode}`, { max: 1 });
    for (let moment = 0; moment < 30; moment += 1) {
      const settled = [sql`select pg_sleep(0.05)`.then(...OUTCOME)];
      await pause(moment);
      dropConnections(sql);
      // One that comes between the loss and the news of it.
      settled.push(sql`select 1`.then(...OUTCOME));
      await Promise.resolve();
      dropConnections(sql);
      for (const outcome of await Promise.all(settled)) expect(["answered", "CONNECTION_CLOSED"]).toContain(outcome);
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    }
    await sql.end();
  },
  60_000,
);

const OUTCOME = [() => "answered", (error: unknown) => (error as { code: unknown }).code] as const;

/** For localhost, until 2126; of these tests alone. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIULQxKxFI3wiF3J5mLkKpu0M0OfaQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIwMjcwMFoYDzIxMjYxMDI5
MjAyNzAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARSxUreJlK6n+RVI3BRPZ6JucOD1+ROYBMKXYxAdM8knLZ8r5g5cnQJ
G6ysTXDh2s/1IFe6AQT23hCtyb+mqvkKo1MwUTAdBgNVHQ4EFgQU7Ziju1G+gFOm
pxxsbp/g4UrC8hIwHwYDVR0jBBgwFoAU7Ziju1G+gFOmpxxsbp/g4UrC8hIwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAud+9/ixvQn+lTGcfb34sB
bGQzelkEZ5lojIFWsIWragIgC7j4T83xUKiXhEHb6eKexfWmP8rYbbArVn9K6Rnp
8u0=
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh7ccnmYo7awmM6EA
eAKqCFdBj0gLSMEIpIhxeuKM9qihRANCAARSxUreJlK6n+RVI3BRPZ6JucOD1+RO
YBMKXYxAdM8knLZ8r5g5cnQJG6ysTXDh2s/1IFe6AQT23hCtyb+mqvkK
-----END PRIVATE KEY-----
`;
