import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Binaries } from "./embedded-binaries.ts";
import { commandAs, type PostgresUser } from "./embedded-user.ts";
import { isPostgres } from "./process-identity.ts";

/** What to run, as whom, on which data directory. */
export interface Site {
  readonly binaries: Binaries;
  readonly user: PostgresUser | undefined;
  /** PGDATA. The log is kept beside it, `<data>.log`. */
  readonly data: string;
}

export interface Server {
  readonly port: number;
  /** Its exit code, the signal that ended it, or why it could not run, when it has ended for whatever reason. */
  readonly ended: Promise<number | string>;
  stop(): Promise<void>;
}

const START_MS = 60_000;
/** After this a fast shutdown becomes an immediate one: the next start replays the write-ahead log. */
const STOP_MS = 20_000;

/** Ours differ from PostgreSQL's defaults where one small server on one machine wants it; see the decision record. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: 100,
  shared_buffers: "128MB",
  // What was acknowledged is on disk.
  fsync: "on",
  synchronous_commit: "on",
  // A process of ours that is frozen in the middle of a write must not keep the others from writing.
  idle_in_transaction_session_timeout: "60s",
  // Nobody replicates an embedded server; bulk loads into new tables then skip the log.
  wal_level: "minimal",
  max_wal_senders: 0,
  max_wal_size: "2GB",
  wal_compression: "on",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  logging_collector: "off",
} as const;

/** Creates a cluster in the (empty) data directory. `sync: false` may lose it when the machine, not we, crash. */
export async function runInitdb(site: Site, passwordFile: string, { sync }: { sync: boolean }): Promise<void> {
  const args = [
    ...["-D", site.data, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8"],
    ...["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"],
    ...(sync ? [] : ["--no-sync"]),
  ];
  const log = logFile(site);
  const child = launch(site, "initdb", args, log);
  const failed = await exited(child);
  if (failed !== 0) throw new Error(`Creating the database in ${site.data} failed (initdb: ${failed}). ${tail(log)}`);
}

/** Starts postgres on a free port of 127.0.0.1, the one of the last time if possible. */
export async function startServer(site: Site, settings: Readonly<Record<string, string | number>>): Promise<Server> {
  const log = logFile(site);
  const wanted = Number(settings.port ?? lastPort(site.data));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? wanted : 0);
    const all = { ...SETTINGS, ...settings, port };
    const args = ["-D", site.data, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const child = launch(site, "postgres", args, log);
    const end = exited(child);
    if (await becomesReady(child, site.data)) return running(child, end, port, site);
    child.kill("SIGKILL");
    const code = await end;
    // Somebody took the port between our asking for it and postgres taking it.
    if (attempt < 3 && readTail(log).includes("could not bind")) continue;
    throw new Error(`Starting PostgreSQL on ${site.data} failed (postgres: ${code}). ${tail(log)}`);
  }
}

/**
 * Stops the server an owner left behind when it was killed; PostgreSQL itself clears the traces of one that died. A pid
 * file that names a living process which is no postgres would make it refuse to start.
 */
export async function stopOrphan(data: string): Promise<void> {
  const file = join(data, "postmaster.pid");
  const pid = Number(pidLines(data)[0] ?? 0);
  if (isPostgres(pid)) await shutDown(pid, () => !isPostgres(pid));
  if (!existsSync(file) || isPostgres(pid)) return;
  // Only the pid is replaced, by one that cannot exist: line 7 still guards against backends that are left.
  writeFileSync(file, readFileSync(file, "utf8").replace(/^\d+/, "999999999"));
}

function running(child: ChildProcess, end: Promise<number | string>, port: number, site: Site): Server {
  const pid = child.pid as number;
  const dog = watchdog(pid);
  // The server must not keep a process alive that has nothing else to do: the watchdog stops it then.
  child.unref();
  let ended = false;
  void end.then(() => {
    ended = true;
    // Its pid may soon be somebody else's.
    dog?.kill("SIGKILL");
  });
  const stop = async () => {
    child.ref();
    const stopping =
      process.platform === "win32"
        ? promisify(execFile)(site.binaries.path("pg_ctl"), ["stop", "-D", site.data, "-m", "fast"])
        : shutDown(pid, () => ended);
    await Promise.all([stopping, end]);
  };
  return { port, ended: end, stop };
}

/**
 * Ends the server when this process is gone, however it went: the pipe's other end closes then, and `read` returns. In
 * a group of its own, so that Ctrl-C and a kill of our group do not reach it.
 */
function watchdog(pid: number): ChildProcess | undefined {
  if (process.platform === "win32") return undefined;
  const dog = spawn("sh", ["-c", `read _; kill -INT ${pid} 2>/dev/null`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  dog.unref();
  (dog.stdin as net.Socket | null)?.unref();
  return dog;
}

async function shutDown(pid: number, gone: () => boolean): Promise<void> {
  // INT: roll back what is open, write everything out, end. QUIT: end at once, recover at the next start.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw new Error(
        `Stopping the PostgreSQL that is already running as process ${pid} failed: stop it and try again`,
        {
          cause: error,
        },
      );
    }
    if (await until(gone, STOP_MS)) return;
  }
  throw new Error(`PostgreSQL (process ${pid}) does not stop: end it and try again`);
}

/** True once the server takes connections, false when it ended or took too long. */
async function becomesReady(child: ChildProcess, data: string): Promise<boolean> {
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  // The eighth line of the pid file is the state. With setpriv the pid stays: it replaces itself.
  const ready = () => {
    const lines = pidLines(data);
    return Number(lines[0]) === child.pid && lines[7]?.trim() === "ready";
  };
  return (await until(() => ended || ready(), START_MS)) && !ended;
}

function pidLines(data: string): readonly string[] {
  const file = join(data, "postmaster.pid");
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function launch(site: Site, program: "initdb" | "postgres", args: readonly string[], log: string): ChildProcess {
  const {
    file,
    args: rest,
    uid,
    gid,
  } = commandAs(site.user, site.binaries.path(program), args, [site.binaries.directory, dirname(site.data)]);
  const output = freshLog(log);
  try {
    return spawn(file, rest, {
      // A file, not a pipe: the server may outlive us for a moment.
      stdio: ["ignore", output, output],
      // A group of its own: Ctrl-C reaches us only, and we stop it in order.
      detached: true,
      cwd: dirname(site.data),
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
      ...(uid !== undefined && gid !== undefined ? { uid, gid } : {}),
    });
  } finally {
    closeSync(output);
  }
}

/** Exit code or signal, or why it could not be started. Never rejects. */
async function exited(child: ChildProcess): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    return code ?? signal ?? "ended";
  } catch (error) {
    return (error as Error).message;
  }
}

function logFile(site: Site): string {
  return `${site.data.replace(/\.new$/, "")}.log`;
}

/** The log of the run before is kept, as `.1`. */
function freshLog(log: string): number {
  if (existsSync(log)) renameSync(log, `${log}.1`);
  return openSync(log, "w", 0o600);
}

function tail(log: string): string {
  return `The end of its log, ${log}:\n${readTail(log)}`;
}

function readTail(log: string): string {
  return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n") : "";
}

/** postgres keeps its last command line beside the data. */
function lastPort(data: string): number {
  const file = join(data, "postmaster.opts");
  const found = existsSync(file) ? /"port=(\d+)"/.exec(readFileSync(file, "utf8")) : null;
  return Number(found?.[1] ?? 0);
}

/** `wanted` when it is free, so that processes which were attached find a restarted server again. */
async function freePort(wanted: number): Promise<number> {
  for (const port of wanted === 0 ? [0] : [wanted, 0]) {
    const probe = net.createServer();
    probe.listen(port, "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    const { port: free } = probe.address() as net.AddressInfo;
    probe.close();
    await once(probe, "close");
    return free;
  }
  throw new Error("No free port on 127.0.0.1 for the embedded PostgreSQL: free one, or set DATABASE_URL");
}

async function until(holds: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (holds()) return true;
    if (performance.now() > end) return false;
    await sleep(15);
  }
}
