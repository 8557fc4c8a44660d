import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn } from "../../plugins/built-in.ts";
import { loadPlugins } from "../../plugins/load.ts";

const root = join(import.meta.dirname, "../..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plugins-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function plugin(name: string, source: string): Promise<string> {
  const zod = pathToFileURL(join(root, "node_modules/zod/index.js")).href;
  await writeFile(join(folder, name), `import { z } from ${JSON.stringify(zod)};\n${source}`);
  return `./${name}`;
}

const own = ["rule-filters", "hash-bucketing", "ml-model", "bandit"];
const ids = async (specifiers: readonly string[], cwd: string) => [
  ...(await loadPlugins(specifiers, cwd)).strategies.keys(),
];

const whole =
  'id: "mine", contract: 1, summary: "For tests", config: z.object({}), prepare: () => () => ({ variant: "on" })';

describe("loadPlugins()", () => {
  test("loads a path relative to the working directory, and an absolute one", async () => {
    expect(await ids(["./docs/examples/business-hours.ts"], root)).toEqual([...own, "business-hours"]);
    await plugin("mine.mjs", `export const strategy = { ${whole} };`);
    expect(await ids([join(folder, "mine.mjs")], root)).toEqual([...own, "mine"]);
  });

  test("loads a package's folder by its main module, and a folder by what lies in it, tests left out", async () => {
    await mkdir(join(folder, "all/packed"), { recursive: true });
    await writeFile(join(folder, "all/packed/package.json"), '{ "type": "module", "main": "strategy.js" }');
    await plugin("all/packed/strategy.js", `export const strategy = { ${whole}, id: "packed" };`);
    await plugin("all/single.mjs", `export const strategy = { ${whole}, id: "single" };`);
    await plugin("all/single.test.mjs", "throw new Error('A test was loaded');");
    await writeFile(join(folder, "all/README.md"), "");
    expect(await ids(["./all/packed"], folder)).toEqual([...own, "packed"]);
    expect(await ids(["./all"], folder)).toEqual([...own, "packed", "single"]);
  });

  test("loads operators and bucketing algorithms, with or without a strategy", async () => {
    const compile = "compile: () => () => 1";
    const specifier = await plugin(
      "tools.mjs",
      `export const operators = { odd_v1: { summary: "Odd", value: null, ${compile} } };
       export const bucketing = { "first-v1": { summary: "All in one", prepare: () => () => 0 } };`,
    );
    const { operators, bucketing } = await loadPlugins([specifier], folder);
    expect([...operators.keys(), ...bucketing.keys()]).toEqual(["odd_v1", "first-v1"]);
    expect(operators.get("odd_v1")?.compile(undefined)("x"), "only true is yes").toBe(false);
    await expect(loadPlugins([specifier, specifier], folder)).rejects.toThrow('operator "odd_v1" is taken by another');
  });

  test.each([
    ["missing.mjs", undefined, 'Cannot load plugin "./missing.mjs" from'],
    ["broken.mjs", 'throw new Error("no luck");', "no luck"],
    ["nameless.mjs", "export const other = 1;", "under the name `strategy`"],
    ["old.mjs", `export const strategy = { ${whole}, contract: 2 };`, "strategy.contract must be 1"],
    ["shouting.mjs", `export const strategy = { ${whole}, id: "MINE" };`, "strategy.id must be kebab-case"],
    ["plain.mjs", `export const strategy = { ${whole}, config: {} };`, "strategy.config must be a zod 4 schema"],
    ["vague.mjs", "export const operators = { near: {} };", "operators.near must be snake_case and end in its version"],
    ["grand.mjs", 'export const bucketing = { "murmur3-v1": {} };', "is the server's own"],
    ["idle.mjs", `export const strategy = { ${whole}, prepare: 1 };`, "strategy.prepare must be a function"],
    ["twin.mjs", `export const strategy = { ${whole}, id: "hash-bucketing" };`, 'id "hash-bucketing" is taken'],
  ])("says what is wrong with %s", async (name, source, message) => {
    const specifier = source === undefined ? `./${name}` : await plugin(name, source);
    await expect(loadPlugins([specifier], folder)).rejects.toThrow(message);
  });

  test("says that a bare name is taken for a package", async () => {
    await expect(loadPlugins(["no-such-package"], root)).rejects.toThrow("as a package (a path starts with ./)");
  });
});

test("the built-in strategies have different ids", () => {
  expect(builtIn.map(({ id }) => id)).toEqual(own);
});
