import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { waitUntil } from "../../support/wait-until.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it("METRICS_PORT shows the metrics of a worker without HTTP, and nothing else", async () => {
  const env = { PATH: process.env.PATH, DATABASE_URL: database.url, METRICS_PORT: "0" };
  const worker = spawn(process.execPath, ["workers/main.ts"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(worker, "exit");
  try {
    let log = "";
    worker.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    await waitUntil(() => /"url":"/.test(log));
    const url = /"url":"([^"]+)"/.exec(log)?.[1] ?? "";
    await waitUntil(async () => {
      const text = await fetch(url).then((answer) => answer.text());
      return text.includes("database_up 1\n") && /^event_loop_lag_seconds_count [1-9]/m.test(text);
    });
    expect((await fetch(new URL("/features", url))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(404);
  } finally {
    worker.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  }
});
