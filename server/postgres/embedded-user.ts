import { chownSync, existsSync, readFileSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";

/**
 * PostgreSQL refuses to run as root. Then it runs as somebody else: whoever owns the data already, else `postgres`,
 * else `nobody`. undefined: we are not root, it runs as we do.
 */
export interface PostgresUser {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: PostgresUser = { uid: 65534, gid: 65534 };

/** @param places the first of these that exists and is not root's names the user */
export function postgresUser(places: readonly string[]): PostgresUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const place of places) {
    const stat = statIfThere(place);
    if (stat !== undefined && stat.uid !== 0) return { uid: stat.uid, gid: stat.gid };
  }
  return namedUser("postgres") ?? namedUser("nobody") ?? NOBODY;
}

/** Makes the user the owner of a file or directory of ours; nothing to do when we are not root. */
export function giveTo(user: PostgresUser | undefined, path: string): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * How to run a program as that user. When it could not reach one of the places (a checkout under /root, a private
 * data directory), it keeps root's right to pass directories, and only that (`setpriv`, of util-linux).
 */
export function commandAs(
  user: PostgresUser | undefined,
  file: string,
  args: readonly string[],
  places: readonly string[],
): Command {
  if (user === undefined) return { file, args };
  if (places.every((place) => isReachable(place, user))) return { file, args, ...user };
  const setpriv = [
    ...["--reuid", String(user.uid), "--regid", String(user.gid), "--clear-groups"],
    ...["--inh-caps=+dac_override", "--ambient-caps=+dac_override"],
    // Without it, access(2), which initdb asks, would not honour the capability.
    "--securebits=+no_setuid_fixup",
  ];
  return { file: "setpriv", args: [...setpriv, file, ...args] };
}

function isReachable(place: string, user: PostgresUser): boolean {
  for (let path = place; ; path = dirname(path)) {
    const stat = statIfThere(path);
    if (stat !== undefined && !mayPass(stat, user)) return false;
    if (path === dirname(path)) return true;
  }
}

function mayPass(stat: Stats, user: PostgresUser): boolean {
  if (stat.uid === user.uid) return (stat.mode & 0o500) === 0o500;
  if (stat.gid === user.gid) return (stat.mode & 0o050) === 0o050;
  return (stat.mode & 0o005) === 0o005;
}

function statIfThere(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function namedUser(name: string): PostgresUser | undefined {
  if (!existsSync("/etc/passwd")) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return Number(uid) > 0 && Number(gid) > 0 ? { uid: Number(uid), gid: Number(gid) } : undefined;
}
