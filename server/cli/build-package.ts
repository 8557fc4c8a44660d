/**
 * npm run build:package: makes dist/, the package others install: what package.json exports, as JavaScript with its types, since Node
 * runs no TypeScript from node_modules. `npm pack ./dist` packs it. Here, and where this checkout is linked, the exports are
 * the sources themselves, and nothing needs to be built.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { prunePackage } from "./prune-package.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist") } } });
const out = values.out;

rmSync(out, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json"), "--outDir", out],
  { stdio: "inherit" },
);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const entries = [...Object.values(manifest.bin), ...Object.values(manifest.exports)];
prunePackage(
  out,
  entries.map((source) => compiled(source, "js").slice(2)),
);
writeFileSync(join(out, "package.json"), `${JSON.stringify(packaged(manifest), null, 2)}\n`);
for (const path of ["LICENSE", "README.md", "server/cli/plugin-template"])
  cpSync(join(root, path), join(out, path), { recursive: true });
console.log(`Built ${out}; npm pack ${out} packs it`);

function packaged(all: Manifest): object {
  const { name, version, description, license, type, bin, exports, dependencies, devDependencies } = all;
  const used = packagesIn("**/*.js");
  const typed = packagesIn("**/*.d.ts").filter((other) => !used.includes(other));
  return {
    ...{ name, version, description, license, type },
    engines: { node: ">=22" },
    bin: Object.fromEntries(Object.entries(bin).map(([command, source]) => [command, compiled(source, "js")])),
    exports: Object.fromEntries(
      Object.entries(exports).map(([entry, source]) => [
        entry,
        { types: compiled(source, "d.ts"), default: compiled(source, "js") },
      ]),
    ),
    dependencies: Object.fromEntries(used.map((other) => [other, dependencies[other]])),
    // Whoever uses what is typed by them has them already.
    peerDependencies: Object.fromEntries(typed.map((other) => [other, `^${devDependencies[other]}`])),
    peerDependenciesMeta: Object.fromEntries(typed.map((other) => [other, { optional: true }])),
  };
}

function compiled(source: string, extension: string): string {
  return source.replace(/(?:\.\/)?(.*)\.ts$/, `./$1.${extension}`);
}

/** By what was compiled, not by what the server needs. */
function packagesIn(pattern: string): readonly string[] {
  const files = globSync(pattern, { cwd: out }).map((file) => readFileSync(join(out, file), "utf8"));
  const names = files.flatMap((text) =>
    [...text.matchAll(/^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["']([^."'][^"']*)["']/gm)].map(([, name]) =>
      (name ?? "").replace(/^((?:@[^/]+\/)?[^/]+).*$/, "$1"),
    ),
  );
  return [...new Set(names)].filter((name) => !isBuiltin(name)).toSorted();
}
