import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";

/** The package as others install it: built into a project's node_modules, with what it depends on beside it. */
const ROOT = join(import.meta.dirname, "../../..");
let folder: string;
let own: string;
let pages: Server;
let server: TestServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "aff-package-"));
  own = join(folder, "node_modules/adaptive-feature-flags");
  await run(process.execPath, [join(ROOT, "server/cli/build-package.ts"), "--out", own]);
  const project = { type: "module", dependencies: { "adaptive-feature-flags": manifest().version } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(project));
  writeFileSync(join(folder, "deno.json"), '{ "nodeModulesDir": "manual" }');
  const { dependencies, peerDependencies } = manifest();
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const place = join(folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), place);
  }
  pages = createServer(({ url = "/" }, response) => {
    const script = url.endsWith(".js");
    response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
    response.end(script ? readFileSync(join(own, url)) : "<!doctype html><title>A page</title>");
  });
  await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  server = await startTestServer({ settings: { CORS_ALLOWED_ORIGINS: origin() } });
  await server.client.createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
}, 120_000);
afterAll(async () => {
  await server.close();
  pages.close();
  rmSync(folder, { recursive: true });
});

const manifest = () => JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
const origin = () => `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

async function run(command: string, args: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: folder };
  return (await promisify(execFile)(command, args, { cwd: folder, env })).stdout;
}

const PROGRAM = `
import { ApiError, createClient } from "adaptive-feature-flags/client";
import { createLocalEvaluation } from "adaptive-feature-flags/local";
import { snapshotFile } from "adaptive-feature-flags/local/file";
import { createProvider } from "adaptive-feature-flags/openfeature";
const flags = createClient({ url: process.argv[2] });
const local = createLocalEvaluation({ url: process.argv[2], persist: snapshotFile(process.argv[3] + ".json") });
await local.ready();
const { variant } = await local.evaluate("checkout", { user_id: process.argv[3] });
await local.close();
const on = await flags.value("checkout", { user_id: "ada" }, false);
const refused = await flags.getFeature("gone").catch((error) => error instanceof ApiError && error.code);
flags.track({ user_id: process.argv[3], feature_key: "checkout", event_type: "view" });
console.log(JSON.stringify([on, variant, refused, createProvider(flags).metadata.name]));
`;

test.each(["node", "deno"])("is a client on %s, as JavaScript", async (runtime) => {
  writeFileSync(join(folder, "program.mjs"), PROGRAM);
  const [command = "", ...args] =
    runtime === "node" ? [process.execPath] : [join(ROOT, "node_modules/.bin/deno"), "run", "-A"];
  const said = await run(command, [...args, "program.mjs", server.url, runtime]);
  expect(JSON.parse(said)).toEqual([true, "on", "not_found", "adaptive-feature-flags"]);
  expect(await server.database.sql`select user_id from events where user_id = ${runtime}`).toHaveLength(1);
  expect(await server.database.sql`select user_id from exposures where user_id = ${runtime}`).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(folder, `${runtime}.json`), "utf8")).contract).toBe(1);
});

const TYPED = `
import { OpenFeature } from "@openfeature/server-sdk";
import { ApiError, createClient, type Details } from "adaptive-feature-flags/client";
import { createLocalEvaluation } from "adaptive-feature-flags/local";
import { createProvider } from "adaptive-feature-flags/openfeature";
const flags = createClient({ url: "http://127.0.0.1:8000" });
const local = createLocalEvaluation({ url: "http://127.0.0.1:8000", persist: { load: () => null, save() {} } });
const id: string = (await local.evaluate("checkout", { user_id: "ada" })).decision_id;
const size: number = await flags.value("page-size", { user_id: "ada", plan: "pro" }, 20);
const details: Details<boolean> = await flags.details("checkout", {}, false);
const { version } = await flags.createFeature({ key: "checkout", name: "Checkout", objective: { event_types: ["buy"] } });
await flags.updateFeature("checkout", { key: "checkout", name: "Checkout" }, { version, signal: AbortSignal.timeout(9) });
const status: "queued" | "running" = (await flags.trainAsync({ learner: "trees" })).status;
const { events, next_cursor } = await flags.listEvents({ limit: 5 });
const variant: string | null = (await flags.evaluate("checkout", { user_id: "ada" })).variant;
await OpenFeature.setProviderAndWait(createProvider(flags));
await OpenFeature.setProviderAndWait(createProvider(local));
export { ApiError, details, events, id, next_cursor, size, status, variant };

// @ts-expect-error: a number was asked for
const text: string = await flags.value("page-size", { user_id: "ada" }, 20);
// @ts-expect-error: features have no such field
await flags.createFeature({ key: "checkout", name: "Checkout", rollout: 5 });
// @ts-expect-error: nor do their answers
(await flags.getFeature("checkout")).rollout;
// @ts-expect-error: a limit is a number
await flags.listDecisions({ limit: "5" });
// @ts-expect-error: there is no such learner
await flags.train({ learner: "magic" });
// @ts-expect-error: events belong to a feature
flags.track({ user_id: "ada", event_type: "view" });
`;

describe("its types", () => {
  test.each([
    ["in a browser's project", ["--lib", "es2024,dom", "--module", "esnext", "--moduleResolution", "bundler"]],
    ["in Node's project", ["--lib", "es2024", "--module", "nodenext"]],
  ])("are the routes' own, %s", async (where, options) => {
    writeFileSync(join(folder, "typed.ts"), TYPED);
    const types = where.includes("Node")
      ? ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")]
      : ["--types", ""];
    const strict = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024"];
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const said = await run(process.execPath, [tsc, ...strict, ...options, ...types, "typed.ts"]).catch(
      (error) => error.stdout,
    );
    expect(said).toBe("");
  });
});

test("it imports no package, and its types only zod's and OpenFeature's", () => {
  const entries = ["server/client/client", "server/client/openfeature"];
  expect(packages(entries.map((entry) => `${entry}.js`))).toEqual([]);
  expect(packages(entries.map((entry) => `${entry}.d.ts`))).toEqual(["@openfeature/server-sdk", "zod"]);
  expect(manifest().peerDependenciesMeta).toEqual({ "@openfeature/server-sdk": { optional: true } });
});

/** What these modules, and those they import, import that is none of them. */
function packages(entries: readonly string[]): readonly string[] {
  const extension = entries[0]?.endsWith(".d.ts") ? ".d.ts" : ".js";
  const files = new Set(entries);
  const found = new Set<string>();
  for (const file of files)
    for (const [, path = ""] of readFileSync(join(own, file), "utf8").matchAll(/(?:from |import\()"([^"]+)"/g))
      if (path.startsWith(".")) files.add(join(dirname(file), path.replace(/\.[jt]s$/, extension)));
      else found.add(path);
  return [...found].sort();
}

describe.skipIf(chromiumPath === undefined)("in a browser, from another origin", () => {
  test("it reads, hears of a change, and stores what was tracked right before the page was left", async () => {
    const browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(origin());
    const inPage = (script: string) => page.evaluate(`(async () => { ${script} })()`);
    const client = `const { createClient } = await import("/server/client/client.js");
      globalThis.flags = createClient({ url: "${server.url}", tracking: { interval: 3_600_000 } });`;
    expect(await inPage(`${client} return flags.value("checkout", { user_id: "eve" }, false);`)).toBe(true);
    await inPage(`globalThis.changed = new Promise((resolve) => flags.onChange(resolve)); await flags.ready();`);
    await server.client.updateFeature("checkout", { key: "checkout", name: "Checkout", rollout_percentage: 0 });
    expect(await inPage("return changed;")).toMatchObject({ type: "changed", environment: "production" });
    expect(await inPage(`return flags.value("checkout", { user_id: "eve" }, true);`)).toBe(false);
    await inPage(
      `for (const event_type of ["view", "leave"]) flags.track({ user_id: "eve", feature_key: "checkout", event_type });`,
    );
    await page.goto(`${origin()}/left`);
    const stored = () => server.database.sql`select event_type from events where user_id = 'eve' order by event_type`;
    await waitUntil(async () => (await stored()).length === 2);
    expect((await stored()).map(({ event_type }) => event_type)).toEqual(["leave", "view"]);
    await browser.close();
  }, 60_000);
});
