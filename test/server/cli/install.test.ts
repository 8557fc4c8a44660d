import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const INSTALLER = fileURLToPath(new URL("../../../server/cli/install.mjs", import.meta.url));
let root: string;

/** A checkout in small: its dependencies are folders in it, so that npm needs no registry. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "aff install "));
  await mkdir(join(root, "server", "cli"), { recursive: true });
  await cp(INSTALLER, join(root, "server", "cli", "install.mjs"));
  for (const name of ["needed", "tested"]) {
    await mkdir(join(root, name));
    await json(`${name}/package.json`, { name, version: "1.0.0" });
  }
  await writeProject("1.0.0");
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("installs what is missing once, and says so", async () => {
  const first = await install();
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toContain("Installing dependencies (npm ci)");
  expect(await has("node_modules/needed")).toBe(true);
  expect(await has("node_modules/tested")).toBe(false);
  expect(await install()).toEqual({ code: 0, stderr: "" });
});

test("adds what the tests need only for them, and keeps it", async () => {
  await install();
  expect((await install("--dev")).stderr).toContain("with those of the tests");
  expect(await has("node_modules/tested")).toBe(true);
  expect(await install()).toEqual({ code: 0, stderr: "" });
  expect(await has("node_modules/tested")).toBe(true);
});

test("installs again when the lock file has changed", async () => {
  await install();
  await json("needed/package.json", { name: "needed", version: "2.0.0" });
  await writeProject("2.0.0");
  expect((await install()).stderr).toContain("Installing");
  expect(await install()).toEqual({ code: 0, stderr: "" });
});

test("accepts what somebody installed by hand", async () => {
  await install();
  await rm(join(root, "node_modules", ".installed.json"));
  expect(await install()).toEqual({ code: 0, stderr: "" });
  expect(await has("node_modules/.installed.json")).toBe(true);
});

test("installs once when several commands start together", async () => {
  const all = await Promise.all([install(), install(), install()]);
  expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(all.filter(({ stderr }) => stderr.includes("Installing"))).toHaveLength(1);
});

test("says what to do when npm fails, and fails itself", async () => {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  await json("package-lock.json", { ...lock, packages: {} });
  const { code, stderr } = await install();
  expect(code).toBe(1);
  expect(stderr).toMatch(/Installing dependencies failed \(npm ci: exit code 1\).*npm ping/s);
});

async function install(...args: string[]): Promise<{ code: number; stderr: string }> {
  try {
    const script = join(root, "server", "cli", "install.mjs");
    const { stderr } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: tmpdir() });
    return { code: 0, stderr };
  } catch (error) {
    return error as { code: number; stderr: string };
  }
}

async function writeProject(version: string): Promise<void> {
  const dependencies = { needed: "file:needed" };
  const devDependencies = { tested: "file:tested" };
  const project = { name: "project", version: "1.0.0", dependencies, devDependencies };
  await json("package.json", project);
  await json("package-lock.json", {
    ...project,
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": project,
      needed: { version },
      tested: { version: "1.0.0", dev: true },
      "node_modules/needed": { resolved: "needed", link: true },
      "node_modules/tested": { resolved: "tested", link: true, dev: true },
    },
  });
}

async function json(path: string, content: unknown): Promise<void> {
  await writeFile(join(root, path), JSON.stringify(content));
}

async function has(path: string): Promise<boolean> {
  return stat(join(root, path)).then(
    () => true,
    () => false,
  );
}
