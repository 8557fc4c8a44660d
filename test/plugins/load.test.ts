import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtIn, loadPlugins } from "../../plugins/load.ts";

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

const whole =
  'id: "mine", contract: 1, summary: "For tests", config: z.object({}), prepare: () => () => ({ variant: "on" })';

describe("loadPlugins()", () => {
  test("loads a path relative to the working directory, and an absolute one", async () => {
    const [example] = await loadPlugins(["./docs/example-plugin/business-hours.ts"], root);
    expect(example?.id).toBe("business-hours");
    await plugin("mine.mjs", `export const strategy = { ${whole} };`);
    const [mine] = await loadPlugins([join(folder, "mine.mjs")], root);
    expect(mine?.id).toBe("mine");
  });

  test.each([
    ["missing.mjs", undefined, 'Cannot load plugin "./missing.mjs" from'],
    ["broken.mjs", 'throw new Error("no luck");', "no luck"],
    ["nameless.mjs", "export const other = 1;", "under the name `strategy`"],
    ["old.mjs", `export const strategy = { ${whole}, contract: 2 };`, "strategy.contract must be 1"],
    ["shouting.mjs", `export const strategy = { ${whole}, id: "MINE" };`, "strategy.id must be kebab-case"],
    ["plain.mjs", `export const strategy = { ${whole}, config: {} };`, "strategy.config must be a zod 4 schema"],
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
  expect(builtIn.map(({ id }) => id)).toEqual(["rule-filters", "hash-bucketing", "ml-model", "bandit"]);
});
