import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { waitUntil } from "../support/wait-until.ts";

let database: TestDatabase;
const processes: ChildProcess[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await database.close();
});

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, ["server/main.ts"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, DATABASE_URL: database.url, PORT: "0", ...environment },
  });
  processes.push(child);
  return child;
}

async function startReady(): Promise<{ child: ChildProcess; url: string }> {
  const child = start({});
  const [line] = await once(createInterface(child.stdout as NodeJS.ReadableStream), "line");
  return { child, url: /http:\S+/.exec(String(line))?.[0] as string };
}

async function ended(child: ChildProcess): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, stderr };
}

test("a start on a taken port says so and ends, and the first server goes on", async () => {
  const { child, url } = await startReady();
  const { port } = new URL(url);
  const { code, stderr } = await ended(start({ PORT: port }));
  expect(code).toBe(1);
  expect(stderr).toContain(`Cannot listen on 127.0.0.1:${port}`);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("Ctrl-C, which npm sends a second time, lets a request in flight finish", async () => {
  const { child, url } = await startReady();
  const slow = request(`${url}/ingest/events`, { method: "POST", headers: { Expect: "100-continue" } });
  const answered = once(slow, "response");
  slow.flushHeaders();
  await once(slow, "continue");
  child.kill("SIGINT");
  // It has stopped listening: the first signal was seen.
  await waitUntil(async () => !(await accepts(url)));
  child.kill("SIGINT");
  slow.end(JSON.stringify({ source: "test", events: [] }));
  const [response] = await answered;
  expect(response.statusCode).toBeLessThan(500);
  expect(await once(child, "exit")).toEqual([0, null]);
});

test.each([
  ["postgres://app:hunter2@127.0.0.1:1/flags", /the database flags at 127.0.0.1:1 as user app failed: .*ECONNREFUSED/],
  ["postgres://app:hunter2@localhost:1/flags", /the database flags at localhost:1 as user app failed: .*ECONNREFUSED/],
])("a database that is not there (%s) ends the start with a message that keeps the password", async (url, message) => {
  const { code, stderr } = await ended(start({ DATABASE_URL: url }));
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("hunter2");
});

test("a plugin that never finishes loading ends the start with a message", async () => {
  const directory = mkdtempSync(join(tmpdir(), "aff-plugin-"));
  const plugin = join(directory, "endless.ts");
  writeFileSync(plugin, "await new Promise(() => {});\n");
  const { code, stderr } = await ended(start({ PLUGINS: plugin }));
  rmSync(directory, { recursive: true });
  expect(code).toBe(1);
  expect(stderr).toContain("Starting does not get on");
});

async function accepts(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
