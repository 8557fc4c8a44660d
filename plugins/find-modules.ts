import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** One module a specifier stands for. */
export interface Found {
  /** For messages. */
  readonly name: string;
  /** What `import` takes. */
  readonly url: string;
}

export function isPath(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../") || isAbsolute(specifier);
}

/**
 * A path is a module, a package's folder, or a folder of both: each module and each package directly in it is a plugin, tests
 * left out. Anything else is the name of an installed package. Throws what the file system and the resolver throw.
 */
export async function findModules(specifier: string, cwd: string): Promise<readonly Found[]> {
  if (!isPath(specifier)) return [{ name: specifier, url: resolveName(specifier) }];
  const path = resolve(cwd, specifier);
  if (!(await stat(path)).isDirectory() || isPackage(path)) return [at(specifier, path)];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() ? MODULE.test(entry.name) : isPackage(join(path, entry.name))))
    .map(({ name }) => at(`${specifier}/${name}`, join(path, name)))
    .toSorted((a, b) => (a.url < b.url ? -1 : 1));
}

/** Not declarations, nor tests that lie beside what they test. */
const MODULE = /^(?!.*\.(test|d)\.)[^.].*\.m?[jt]s$/;

function isPackage(folder: string): boolean {
  return existsSync(join(folder, "package.json"));
}

function at(name: string, path: string): Found {
  const file = isPackage(path) ? createRequire(join(path, "package.json")).resolve(path) : path;
  return { name, url: pathToFileURL(file).href };
}

function resolveName(specifier: string): string {
  return typeof import.meta.resolve === "function" ? import.meta.resolve(specifier) : specifier;
}
