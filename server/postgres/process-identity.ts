import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/**
 * A process, told apart from a later one that got the same pid. `started` is opaque: on Linux the boot and the tick it
 * began in, on macOS the second; null where neither can be known.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string | null;
}

export function identify(pid: number = process.pid): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

/** False for a zombie, and for another process that got the pid. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  if (!exists(pid)) return false;
  if (process.platform === "win32") return true;
  const found = startOf(pid);
  return found !== null && (started === null || started === found);
}

/** True when a postgres runs under this pid. */
export function isPostgres(pid: number): boolean {
  if (!exists(pid)) return false;
  try {
    if (process.platform === "linux")
      return startOf(pid) !== null && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres");
    if (process.platform === "win32") return true;
    return startOf(pid) !== null && ps(pid, "comm=").includes("postgres");
  } catch {
    return false;
  }
}

function exists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** null: no such process, a zombie, or unknown to this platform. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      // The name, in parentheses, may itself hold spaces and parentheses: count the fields after the last one.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return fields[0] === "Z" ? null : `${boot}/${fields[19]}`;
    }
    if (process.platform === "win32") return null;
    const [state, ...start] = ps(pid, "stat=,lstart=").trim().split(/\s+/);
    return state === undefined || state.startsWith("Z") ? null : start.join(" ");
  } catch {
    return null;
  }
}

function ps(pid: number, columns: string): string {
  return execFileSync("ps", ["-o", columns, "-p", String(pid)], { encoding: "utf8" });
}
