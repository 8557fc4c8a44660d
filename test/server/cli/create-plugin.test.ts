import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPlugin } from "../../../server/cli/create-plugin.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { startProduct } from "../../support/product.ts";

const root = join(import.meta.dirname, "../../..");
let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "create-plugin-"));
  database = await createTestDatabase();
});
afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true });
});

/** What it printed; throws what it said when it failed. Not under vitest, whose variables would be inherited. */
function run(cwd: string, args: readonly string[]): string {
  const env = { PATH: process.env.PATH, HOME: folder };
  return execFileSync(process.execPath, args, { cwd, env, encoding: "utf8" });
}

/** Evaluates through a running server whether the plugin in this folder decides. */
async function serve(plugin: string, strategy: string): Promise<unknown> {
  const product = await startProduct({ DATABASE_URL: database.url, PLUGINS: plugin });
  try {
    const post = async (path: string, body: object) => {
      const answer = await fetch(product.url + path, { method: "POST", body: JSON.stringify(body) });
      return answer.json();
    };
    const step = { id: "by-plan", strategy, config: { plans: ["pro"], variant: "on" } };
    await post("/features", { key: strategy, name: strategy, steps: [step] });
    return await post("/evaluate", { feature_key: strategy, user: { user_id: "ada", plan: "pro" } });
  } finally {
    await product.stop();
  }
}

describe("a plugin made in a checkout", () => {
  test("passes its tests at once and decides in a running server", async () => {
    const made = JSON.parse(JSON.stringify(await createPlugin("by-plan", folder)));
    expect(made.files).toEqual(["strategy.js", "strategy.test.js", "README.md", "package.json"]);
    const plugin = join(folder, "by-plan");
    expect(run(plugin, ["--test", "--test-reporter=tap"])).toMatch(/^# pass \d\d\n# fail 0$/m);
    const lines = ["strategy.js", "strategy.test.js"].flatMap((file) =>
      readFileSync(join(plugin, file), "utf8").trimEnd().split("\n"),
    );
    expect(lines.length, "strategy and test").toBeLessThan(60);
    // Elsewhere too: the link to the kit does not depend on where it lies.
    const copy = join(folder, "plugins/by-plan");
    cpSync(plugin, copy, { recursive: true });
    expect(await serve(join(folder, "plugins"), "by-plan")).toMatchObject({
      variant: "on",
      step: "by-plan",
      decision_source: "by-plan",
    });
  });

  test("its tests tell what broke", async () => {
    const plugin = join(folder, "by-plan");
    const text = readFileSync(join(plugin, "strategy.js"), "utf8");
    writeFileSync(
      join(plugin, "strategy.js"),
      text.replace("const { plan } = user;", "const plan = user.plan ?? user.tier;"),
    );
    expect(() => run(plugin, ["--test"])).toThrow();
    writeFileSync(join(plugin, "strategy.js"), text);
  });

  test.each(["My Strategy", "../up", "by-plan"])("the name %s is refused", async (name) => {
    await expect(createPlugin(name, folder)).rejects.toThrow("Cannot create the plugin");
  });
});

test("the packed package creates plugins too, whose tests pass and which the server loads", async () => {
  const out = join(folder, "dist");
  run(root, ["server/cli/build-package.ts", "--out", out]);
  execFileSync("npm", ["pack", out, "--pack-destination", folder, "--offline"], { cwd: folder, stdio: "ignore" });
  const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  // As npm installs it, without a registry: the package unpacked, what it depends on beside it.
  const modules = join(folder, "project/node_modules");
  mkdirSync(join(modules, "adaptive-feature-flags"), { recursive: true });
  const unpack = [
    "xzf",
    join(folder, archive ?? ""),
    "--strip-components=1",
    "-C",
    join(modules, "adaptive-feature-flags"),
  ];
  execFileSync("tar", unpack);
  const manifest = JSON.parse(readFileSync(join(modules, "adaptive-feature-flags/package.json"), "utf8"));
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }

  const project = join(folder, "project");
  const bin = join(modules, "adaptive-feature-flags", manifest.bin["adaptive-feature-flags"]);
  expect(run(project, [bin, "create-plugin", "packed-plan"])).toContain("its tests pass at once");
  const plugin = join(project, "packed-plan");
  expect(readdirSync(plugin)).not.toContain("node_modules");
  expect(run(plugin, ["--test", "--test-reporter=tap"])).toMatch(/^# pass \d\d\n# fail 0$/m);
  const types = ["--noEmit", "--checkJs", "--strict", "--module", "nodenext", "--target", "es2024", "--skipLibCheck"];
  run(plugin, [join(root, "node_modules/typescript/bin/tsc"), ...types, "--types", "", "strategy.js"]);
  expect(await serve(plugin, "packed-plan")).toMatchObject({ variant: "on", step: "by-plan" });
}, 120_000);
