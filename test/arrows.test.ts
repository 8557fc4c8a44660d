import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

/** Floors from the ground up; a file imports from its own floor and those before it. */
const FLOORS = ["core", "plugins", "server", "workers"];

/** What core may import besides its own files: pure, on Node, Deno and in a browser. */
const PURE_PACKAGES = [/^zod$/, /^re2js$/, /^semver$/, /^ipaddr\.js$/, /^ml-matrix$/, /^ml-svm$/, /^@stdlib\//];

const ROOT = join(import.meta.dirname, "..");

const STATEMENT = /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["'](?<module>[^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["'](?<module>[^"']+)["']/g;

interface Import {
  readonly from: string;
  readonly to: string;
  /** False for a package or a built-in module. */
  readonly local: boolean;
}

const files = FLOORS.flatMap((floor) => globSync(`${floor}/**/*.ts`, { cwd: ROOT })).map(toPosix);
const imports = files.flatMap(importsOf);

function importsOf(from: string): readonly Import[] {
  const source = readFileSync(join(ROOT, from), "utf8");
  return [...source.matchAll(STATEMENT), ...source.matchAll(DYNAMIC)].map(({ groups }) => {
    const module = groups?.module ?? "";
    // JSON is data, wherever it lies.
    const local = module.startsWith(".") && !module.endsWith(".json");
    const to = local ? toPosix(relative(ROOT, join(ROOT, dirname(from), module))) : module;
    return { from, to, local };
  });
}

function toPosix(path: string): string {
  return path.split(sep).join("/");
}

function floorOf(file: string): number {
  return FLOORS.indexOf(file.split("/")[0] ?? "");
}

function shown({ from, to }: Import): string {
  return `${from} -> ${to}`;
}

describe("the arrows", () => {
  test("there are files on the lower floors, and imports between them", () => {
    expect(files.filter((file) => floorOf(file) === 0).length).toBeGreaterThan(20);
    expect(imports.length).toBeGreaterThan(files.length);
    expect(imports.some(({ from, to }) => floorOf(from) === 1 && floorOf(to) === 0)).toBe(true);
  });

  test("point down: workers -> server -> plugins -> core", () => {
    const upward = imports.filter(
      ({ from, to, local }) => local && (floorOf(to) > floorOf(from) || floorOf(to) === -1),
    );
    expect(upward.map(shown)).toEqual([]);
  });

  test("core is pure: no built-in modules, no packages but the pure ones", () => {
    const impure = imports.filter(
      ({ from, to, local }) =>
        floorOf(from) === 0 && !local && !to.endsWith(".json") && !PURE_PACKAGES.some((name) => name.test(to)),
    );
    expect(impure.map(shown)).toEqual([]);
  });

  test("a plugin imports no other plugin; only built-in.ts knows them", () => {
    const across = imports.filter(({ from, to, local }) => {
      if (!local || floorOf(from) !== 1 || floorOf(to) !== 1 || from === "plugins/built-in.ts") return false;
      return dirname(from) !== dirname(to);
    });
    expect(across.map(shown)).toEqual([]);
  });

  test("imports end in .ts and name a file that is there", () => {
    const known = new Set([...files, ...globSync("core/**/*.d.ts", { cwd: ROOT }).map(toPosix)]);
    const lost = imports.filter(({ to, local }) => local && floorOf(to) !== -1 && !known.has(to));
    expect(lost.map(shown)).toEqual([]);
  });

  test("there is no circle, types included", () => {
    const next = Map.groupBy(
      imports.filter(({ local }) => local),
      ({ from }) => from,
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      if (path.includes(file) || done.has(file)) return;
      for (const { to } of next.get(file) ?? []) follow(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) follow(file, []);
    expect(circles).toEqual([]);
  });
});
