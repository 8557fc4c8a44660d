import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

/** What `<DATA_DIR>/owner.json` says: who started the embedded server, and where it listens. */
interface Owner extends ProcessIdentity {
  /** null while it starts or stops. */
  readonly port: number | null;
}

export interface Ownership {
  /** Others may attach from now on. */
  ready(port: number): void;
  /** Others wait from now on. */
  stopping(): void;
  /** False: another process took this one for dead. */
  holds(): boolean;
  /** The next process that comes becomes the owner. */
  release(): void;
}

/**
 * Makes this process the owner of the data directory, or finds the port of the living owner's server. Of any number of
 * processes that ask at once exactly one becomes the owner; the others wait until its server is ready.
 *
 * @param patienceMs how long an owner may take to start or stop before this gives up
 */
export async function claim(
  directory: string,
  patienceMs: number,
): Promise<{ owned: Ownership } | { attached: { port: number } }> {
  const file = join(directory, "owner.json");
  const self = identify();
  const until = performance.now() + patienceMs;
  for (;;) {
    if (create(file, { ...self, port: null })) return { owned: ownership(file, self) };
    const found = read(file);
    if (found === undefined) continue;
    if (!isAlive(found.owner)) {
      removeDead(file, found.text);
    } else if (found.owner.port !== null) {
      return { attached: { port: found.owner.port } };
    } else if (performance.now() > until) {
      throw new Error(
        `Process ${found.owner.pid} has been starting or stopping the embedded PostgreSQL of ${directory} for ${patienceMs / 1000} s: stop that process and try again, or set another DATA_DIR`,
      );
    } else {
      await sleep(20);
    }
  }
}

function ownership(file: string, self: ProcessIdentity): Ownership {
  const holds = () => {
    const owner = read(file)?.owner;
    return owner?.pid === self.pid && owner.started === self.started;
  };
  const write = (port: number | null) => {
    if (!holds()) return;
    const draft = unique(file);
    writeFileSync(draft, JSON.stringify({ ...self, port }), { mode: 0o600 });
    renameSync(draft, file);
  };
  return {
    ready: (port) => write(port),
    stopping: () => write(null),
    holds,
    release: () => {
      if (holds()) rmSync(file, { force: true });
    },
  };
}

/** Appears whole or not at all. False when there is one already. */
function create(file: string, owner: Owner): boolean {
  const draft = unique(file);
  writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** undefined: removed meanwhile. A file nobody can read belongs to nobody alive. */
function read(file: string): { owner: Owner; text: string } | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Error(
      `Reading ${file} failed (${code}): the embedded PostgreSQL was started by another user, run as that user or set another DATA_DIR`,
      { cause: error },
    );
  }
  try {
    return { owner: JSON.parse(text) as Owner, text };
  } catch {
    return { owner: { pid: 0, started: null, port: null }, text };
  }
}

/**
 * Moved aside rather than deleted: another process may have replaced the dead owner's file since we read it. Then what
 * we moved is a living claim and goes back.
 */
function removeDead(file: string, text: string): void {
  const aside = unique(file);
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readFileSync(aside, "utf8") === text) rmSync(aside);
  else renameSync(aside, file);
}

function unique(file: string): string {
  return `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
}
