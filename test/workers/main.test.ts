import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
const processes: ChildProcess[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await database.close();
});

/** Starts workers/main.ts and resolves with its first line on stdout. */
async function start(...flags: string[]): Promise<{ child: ChildProcess; line: string }> {
  const main = fileURLToPath(new URL("../../workers/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DATABASE_URL: database.url, HOST: "127.0.0.1", PORT: "0" },
  });
  processes.push(child);
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, line: String(line) };
}

test("main.ts --serve says where it is ready, trains in the same process, and stops in order", async () => {
  const { child, line } = await start("--serve");
  expect(line).toMatch(/^Adaptive Feature Flags is ready at http:\/\/127\.0\.0\.1:\d+$/);
  const url = line.slice(line.indexOf("http"));
  const refused = await fetch(`${url}/train`, {
    method: "POST",
    body: "{}",
    headers: { "Content-Type": "application/json" },
  });
  expect(refused.status).toBe(422);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("main.ts is a worker for the servers on the same database", async () => {
  const { child, line } = await start();
  expect(line).toBe("Adaptive Feature Flags works on background jobs");
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
});
