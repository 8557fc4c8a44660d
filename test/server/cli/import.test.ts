import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../../server/http/app.ts";
import { listen } from "../../../server/http/listen.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";

const PROGRAM = fileURLToPath(new URL("../../../server/cli/import.ts", import.meta.url));

let server: TestServer;
let directory: string;
beforeAll(async () => {
  server = await startTestServer();
  directory = await mkdtemp(join(tmpdir(), "aff-import-"));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const START = Date.UTC(2026, 2, 1);
const HEADER = "timestamp,visitorid,event,itemid,transactionid\n";
const line = (i: number) => `${START + i * 1000},visitor-${i % 5000},view,${i % 100},\n`;

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

async function shopLog(name: string, rows: number): Promise<string> {
  return file(name, HEADER + Array.from({ length: rows }, (_, i) => line(i)).join(""));
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], { node = [] as string[], input = "" } = {}) {
  const child = spawn(process.execPath, [...node, PROGRAM, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const done = new Promise<Ran>((resolve) => child.on("close", (code) => resolve({ code, out, err })));
  return { child: child as ChildProcess, done };
}

const shop = (source: string, ...more: string[]) => [
  ...[
    "--adapter",
    "ecommerce_dataset",
    "--feature-key-mode",
    "single",
    "--source",
    source,
    "--url",
    server.url,
    "--json",
  ],
  ...more,
];

async function stored(source: string): Promise<number> {
  const [row] = await server.database.sql`select count(*) as events from events where source = ${source}`;
  return row?.events;
}

describe("npm run import", () => {
  test("imports, reports rejects with their lines, and stores nothing twice", async () => {
    const rejects = join(directory, "rejects.csv");
    const path = await file(
      "small.csv.gz",
      gzipSync(`${HEADER}${line(1)}x,u,view,1,\n${line(1)}${line(1).slice(0, -2)}\n`),
    );
    const first = await start(shop("small", "--rejects", rejects, path)).done;
    expect(first.code).toBe(0);
    expect(JSON.parse(first.out)).toEqual({ source: "small", rows: 4, saved_events: 2, duplicates: 0, rejected: 2 });
    expect(first.err).toContain("Line 3 rejected: timestamp");
    const kept = (await readFile(rejects, "utf8")).trim().split("\n");
    expect(kept.map((row) => row.split(",", 2).join(",")).sort()).toEqual([
      "3,invalid_timestamp",
      "5,invalid_csv",
      "line,code",
    ]);
    const again = await start(shop("small", "--strict", path)).done;
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out)).toMatchObject({ saved_events: 0, duplicates: 2 });
    expect(await stored("small")).toBe(2);
  });

  test("names the line of an event the server refuses", async () => {
    const path = await file("future.csv", `${HEADER}${line(1)}${Date.now() + 1e9},u,view,1,\n`);
    const ran = await start(shop("future", path)).done;
    expect(ran.err).toContain("Line 3 rejected: timestamp");
    expect(ran.err).toContain("future_timestamp");
  });

  test("reads any columns by a mapping, from standard input", async () => {
    const mapping = "user_id=customer,feature_key=:repeat,event_type=:purchase,timestamp=date,properties=amount";
    const args = [
      "--adapter",
      "generic",
      "--mapping",
      mapping,
      "--source",
      "cdnow",
      "--zone",
      "UTC",
      "--url",
      server.url,
    ];
    const ran = await start([...args, "-"], { input: "customer,date,number,amount\nc1,2021-01-01,1,11.77\n" }).done;
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out).toContain("1 rows: 1 events stored");
    const { body } = await server.call("GET", "/events?user_id=c1");
    expect(body[0]).toMatchObject({ event_type: "purchase", properties: { amount: 11.77 }, source: "cdnow" });
  });

  test.each([
    [["--adapter", "generic", "--source", "s", PROGRAM], "--mapping"],
    [["--adapter", "ecommerce_dataset", "--source", "s", "nowhere.csv"], "There is no file nowhere.csv"],
    [["--adapter", "ecommerce_dataset", PROGRAM], "--source"],
    [["--adapter", "other", "--source", "s", PROGRAM], "Allowed choices are ecommerce_dataset, generic"],
    [["--adapter", "ecommerce_dataset", "--source", "s", PROGRAM], "has no column timestamp, visitorid, event, itemid"],
  ])("stops at %j and says what is missing", async (args, words) => {
    const ran = await start(args).done;
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(words);
  });

  test("goes on after it was killed, to exact counts", async () => {
    const path = await shopLog("killed.csv", 20_000);
    const { child, done } = start(shop("killed", "--batch-size", "250", path));
    await waitUntil(async () => (await stored("killed")) > 1000);
    child.kill("SIGKILL");
    expect((await done).code).toBeNull();
    const before = await stored("killed");
    expect(before).toBeLessThan(20_000);
    const again = await start(shop("killed", path)).done;
    const { saved_events, duplicates } = JSON.parse(again.out);
    // The killed client's last request may have been stored after `before` was read.
    expect(duplicates).toBeGreaterThanOrEqual(before);
    expect(saved_events + duplicates).toBe(20_000);
    expect(await stored("killed")).toBe(20_000);
    const [sum] = await server.database
      .sql`select sum(count)::int as events from profiles where user_id like 'visitor-%'`;
    const [all] = await server.database.sql`select count(*)::int as events from events where user_id like 'visitor-%'`;
    expect(sum?.events).toBe(all?.events);
  });

  test("survives a restart of the server", async () => {
    const path = await shopLog("restart.csv", 20_000);
    const before = await listen(createApp(server.services), { host: "127.0.0.1", port: 0 });
    const { done } = start([...shop("restart", "--batch-size", "250", path), "--url", before.url]);
    await waitUntil(async () => (await stored("restart")) > 1000);
    await before.close();
    const left = await stored("restart");
    expect(left).toBeLessThan(20_000);
    const after = await listen(createApp(server.services), {
      host: "127.0.0.1",
      port: Number(new URL(before.url).port),
    });
    try {
      const ran = await done;
      expect(ran.code).toBe(0);
      expect(JSON.parse(ran.out)).toMatchObject({ rows: 20_000, rejected: 0 });
      expect(await stored("restart")).toBe(20_000);
    } finally {
      await after.close();
    }
  });

  test("imports 100,000 rows in 40 MB", { timeout: 180_000 }, async () => {
    const path = await shopLog("large.csv", 100_000);
    const ran = await start(shop("large", path), { node: ["--max-old-space-size=40"] }).done;
    expect([ran.code, JSON.parse(ran.out).saved_events]).toEqual([0, 100_000]);
    expect(ran.err).toContain("50 % of the file");
  });
});
