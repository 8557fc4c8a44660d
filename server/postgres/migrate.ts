import { fileURLToPath } from "node:url";
import { Logger, runMigrations as migrateJobs } from "graphile-worker";
import { runner } from "node-pg-migrate";
import pg from "pg";
import { libpqUrl } from "./libpq-url.ts";

const OLDEST = 15;
/** An address that swallows packets would have the start wait for minutes. */
const CONNECT_MS = 15_000;
const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * Brings the database to the newest schema: migrations/*.sql in order, then graphile-worker's own, so that a server
 * without a worker can enqueue jobs. Safe to call from any number of processes at once; does nothing when up to date.
 *
 * @throws when the server is older than PostgreSQL 15, cannot be reached, or a migration fails (it is rolled back). The
 * message names the database, never its password
 */
export async function migrate(url: string): Promise<void> {
  try {
    await migrateSchema(url);
    await migrateJobQueue(url);
  } catch (cause) {
    throw new Error(
      `Preparing ${nameOf(url)} failed: ${reasonOf(cause)}. DATABASE_URL must name a running PostgreSQL ${OLDEST} or newer and a user who may create tables there; unset it to use the embedded one`,
      { cause },
    );
  }
}

async function migrateSchema(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: libpqUrl(url),
    application_name: "adaptive-feature-flags migrate",
    connectionTimeoutMillis: CONNECT_MS,
  });
  // Without a listener, a connection lost between two queries would end the process.
  client.on("error", () => {});
  await client.connect();
  try {
    await refuseOldServer(client);
    await runner({
      dbClient: client,
      dir: MIGRATIONS,
      migrationsTable: "schema_migrations",
      direction: "up",
      count: Number.POSITIVE_INFINITY,
      singleTransaction: true,
      advisoryLockMode: "wait",
      logger: quiet,
    });
  } finally {
    await client.end();
  }
}

async function migrateJobQueue(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: libpqUrl(url), max: 1 });
  // The server may be stopped before the pool's last connection has closed: that is no error of anybody's.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    await migrateJobs({ pgPool: pool, logger: new Logger(() => () => {}), noHandleSignals: true });
  } finally {
    await pool.end();
  }
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; name: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as name",
  );
  const tooOld = whyTooOld(rows[0]);
  if (tooOld !== undefined) throw new Error(tooOld);
}

/** Why a server of this version (`server_version_num`, `server_version`) will not do; undefined: it will. */
export function whyTooOld(found: { readonly number: string; readonly name: string } | undefined): string | undefined {
  const number = Number(found?.number);
  return number >= OLDEST * 10_000 ? undefined : `it is PostgreSQL ${found?.name ?? "of an unknown version"}`;
}

function nameOf(url: string): string {
  const { host, pathname, username } = new URL(url);
  return `the database ${pathname.slice(1) || "of the user's name"} at ${host || "this machine"} as user ${username || "of the system"}`;
}

/** `localhost` fails once for each of its addresses, in an error without a message; node-pg-migrate puts stacks into its. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join("; ");
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] as string;
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
