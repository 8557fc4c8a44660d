import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { findBinaries } from "./embedded-binaries.ts";
import { claim, type Ownership } from "./embedded-owner.ts";
import { runInitdb, type Server, type Site, startServer, stopOrphan } from "./embedded-server.ts";
import { superviseServer } from "./embedded-supervisor.ts";
import { giveTo, postgresUser } from "./embedded-user.ts";

export interface Database {
  readonly url: string;
  /** False when `databaseUrl` was given. */
  readonly embedded: boolean;
  /** True when this process started the server: it stops for everybody when this process ends. */
  readonly owner: boolean;
  /** Shuts the embedded server down in order if this process owns it, else does nothing. */
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  /** A PostgreSQL somebody else runs. Default: the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** Data under `<dataDir>/postgres`, created when missing. Relative to the working directory. */
  readonly dataDir: string;
  /** postgresql.conf settings of the embedded server, over ours. `port` is used when it is free. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** How long another process may take to start or stop the embedded server. */
const PATIENCE_MS = 60_000;

/**
 * The database to work on: the given one, else an embedded PostgreSQL. One process owns the embedded server; others on
 * the same data directory attach to it (docs/decisions/0010-embedded-postgresql.md). It does not outlive its owner, not
 * even when that is killed, it is started again when it dies alone, and what was committed is on disk.
 *
 * @throws when the platform has no binaries, or initdb or postgres fail: with the end of their log and what to do
 */
export async function openDatabase({ databaseUrl, dataDir, settings = {} }: DatabaseOptions): Promise<Database> {
  if (databaseUrl !== undefined) return { url: databaseUrl, embedded: false, owner: false, stop: async () => {} };
  const directory = resolve(dataDir);
  makeDirectory(directory);
  const password = join(directory, "postgres.password");
  const claimed = await claim(directory, PATIENCE_MS);
  if ("attached" in claimed) {
    const url = urlOf(password, claimed.attached.port);
    return { url, embedded: true, owner: false, stop: async () => {} };
  }
  const { owned } = claimed;
  let server: Server;
  try {
    server = await startOwned(directory, password, settings);
  } catch (error) {
    owned.release();
    throw error;
  }
  owned.ready(server.port);
  const supervisor = superviseServer(server, {
    restart: (port) => restartOwned(directory, owned, { ...settings, port }),
  });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    owned.stopping();
    await supervisor.stop().finally(() => owned.release());
  };
  return { url: urlOf(password, server.port), embedded: true, owner: true, stop: () => (stopped ??= stop()) };
}

function makeDirectory(directory: string): void {
  try {
    makeAll(directory);
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `Keeping the embedded PostgreSQL in ${directory} failed (${code}): set DATA_DIR to a directory this user may write to, or DATABASE_URL to a PostgreSQL 15 or newer`,
      { cause },
    );
  }
}

/** Not mkdirSync's `recursive`: it never comes back where a directory takes no new ones and says ENOENT, as /proc does. */
function makeAll(directory: string): void {
  const made = () => statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  if (made()) return;
  makeAll(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!made()) throw error;
  }
}

async function startOwned(
  directory: string,
  password: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<Server> {
  const site = siteOf(directory);
  const { data } = site;
  await stopOrphan(data);
  if (!existsSync(data)) {
    // Made beside and moved into place, so that a start that was killed half-way leaves nothing that looks whole.
    const draft = `${data}.new`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { mode: 0o700 });
    giveTo(site.user, draft);
    writeFileSync(password, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    giveTo(site.user, password);
    await runInitdb({ ...site, data: draft }, password, { sync: settings.fsync !== "off" });
    renameSync(draft, data);
  }
  if (!existsSync(password))
    throw new Error(
      `${data} holds a database, but its password file ${password} is missing: restore the file, or move ${data} away to start with an empty database`,
    );
  return startServer(site, settings);
}

/** On the same port: everybody knows it by that. undefined: another process took us for dead, and owns the data now. */
async function restartOwned(
  directory: string,
  owned: Ownership,
  settings: Readonly<Record<string, string | number>> & { readonly port: number },
): Promise<Server | undefined> {
  if (!owned.holds()) return undefined;
  owned.stopping();
  const server = await startServer(siteOf(directory), settings);
  if (server.port === settings.port) {
    owned.ready(server.port);
    return server;
  }
  await server.stop();
  throw new Error(`Its port ${settings.port} is taken by another program: end that one`);
}

function siteOf(directory: string): Site {
  const data = join(directory, "postgres");
  return { binaries: findBinaries(), user: postgresUser([data, directory]), data };
}

function urlOf(passwordFile: string, port: number): string {
  let password: string;
  try {
    password = readFileSync(passwordFile, "utf8").trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `Reading ${passwordFile} failed (${code}): the embedded PostgreSQL of ${dirname(passwordFile)} runs, but this user may not use it; run as the user who started it, or set another DATA_DIR`,
      { cause },
    );
  }
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
}
