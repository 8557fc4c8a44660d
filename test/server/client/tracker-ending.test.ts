import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

const CLIENT = pathToFileURL(join(import.meta.dirname, "../../../server/client/client.ts")).href;
const DENO = join(import.meta.dirname, "../../../node_modules/.bin/deno");
let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), "aff-tracker-"));
});
beforeEach(() => server.database.sql`truncate events`);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** A program that tracks three events, which would wait for an hour, and goes on with this. */
async function run(runtime: "node" | "deno", then: string, url = server.url): Promise<ChildProcess> {
  const file = join(folder, "program.ts");
  await writeFile(
    file,
    `import { createClient } from "${CLIENT}";
    const lost = (event, { code }) => console.log("lost", code);
    const client = createClient({ url: "${url}", tracking: { interval: 3_600_000, onLost: lost } });
    for (const user_id of ["a", "b", "c"]) client.track({ user_id, feature_key: "checkout", event_type: "view" });
    ${then}`,
  );
  const command = runtime === "node" ? [process.execPath, file] : [DENO, "run", "-A", "--no-check", file];
  return spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
}

const WAIT = `setInterval(() => {}, 1000); console.log("waits");`;

async function ended(child: ChildProcess): Promise<{ end: number | string; said: string }> {
  const said = child.stdout === null ? "" : text(child.stdout);
  const [code, signal] = await once(child, "exit");
  return { end: code ?? signal, said: await said };
}

async function storedUsers(): Promise<string[]> {
  const rows = await server.database.sql<{ user_id: string }[]>`select user_id from events order by user_id`;
  return rows.map(({ user_id }) => user_id);
}

describe.each(["node", "deno"] as const)("on %s", (runtime) => {
  test("a program that tracks and simply ends has its events stored", async () => {
    expect(await ended(await run(runtime, ""))).toEqual({ end: 0, said: "" });
    expect(await storedUsers()).toEqual(["a", "b", "c"]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s still ends it, after its events are stored", async (signal) => {
    const child = await run(runtime, WAIT);
    await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    const end = ended(child);
    process.kill(child.pid ?? 0, signal);
    expect((await end).end).toBe(signal);
    expect(await storedUsers()).toEqual(["a", "b", "c"]);
  });
});

test("a program with a listener of its own ends itself, and has the time it takes", async () => {
  const own = `process.once("SIGTERM", async () => { await client.close(); process.exit(7); }); ${WAIT}`;
  const child = await run("node", own);
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  const end = ended(child);
  child.kill("SIGTERM");
  expect((await end).end).toBe(7);
  expect(await storedUsers()).toEqual(["a", "b", "c"]);
});

test("a signal ends a program that goes on tracking, too", async () => {
  const more = `setInterval(() => client.track({ user_id: "d", feature_key: "checkout", event_type: "view" }), 1); ${WAIT}`;
  const child = await run("node", more);
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  const end = ended(child);
  child.kill("SIGTERM");
  expect((await end).end).toBe("SIGTERM");
});

test("once nothing waits, signals are nobody's business", async () => {
  const child = await run(
    "node",
    `await client.flush(); console.log(process.listenerCount("SIGTERM")); client.close();`,
  );
  expect(await ended(child)).toEqual({ end: 0, said: "0\n" });
});

test("a program whose server is away ends all the same, and says what it lost", async () => {
  const gone = await startTestServer();
  await gone.close();
  expect(await ended(await run("node", "", gone.url))).toEqual({ end: 0, said: "lost closed\n".repeat(3) });
});
