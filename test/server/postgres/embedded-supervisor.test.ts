import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../../server/postgres/embedded.ts";
import { superviseServer } from "../../../server/postgres/embedded-supervisor.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { startProduct } from "../../support/product.ts";
import { waitUntil } from "../../support/wait-until.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "aff-supervisor-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("an embedded postmaster that is killed", () => {
  test("is started again: the product decides on, says that it is degraded, keeps its data and resumes", async () => {
    const product = await startProduct({ DATA_DIR: directory, LOG_LEVEL: "info" });
    try {
      const post = (path: string, body: object) =>
        fetch(product.url + path, { method: "POST", body: JSON.stringify(body) });
      const read = async (path: string): Promise<ReturnType<typeof JSON.parse>> =>
        (await fetch(product.url + path)).json();
      const ready = async () => (await read("/health/ready")).status;
      const about = { user_id: "user-1", feature_key: "kept", event_type: "click", properties: {} };
      await post("/features", { key: "kept", name: "Kept", rollout_percentage: 100 });
      const sent = await post("/events", { ...about, event_id: "before", timestamp: new Date().toISOString() });
      expect(sent.status).toBe(201);

      const first = postmaster();
      process.kill(first, "SIGKILL");
      await waitUntil(async () => (await ready()) === "degraded");
      const decided = await post("/evaluate", { feature_key: "kept", user: { user_id: "user-1" } });
      expect(await decided.json()).toMatchObject({ enabled: true });
      await waitUntil(async () => (await ready()) === "ok", 60_000);
      expect(postmaster()).not.toBe(first);
      expect((await post("/features", { key: "since", name: "Made since" })).status).toBe(201);
      expect(await read("/events?user_id=user-1")).toMatchObject([{ event_id: "before" }]);
      expect(product.stderr()).toContain("ended by itself");
      expect(product.stderr()).toContain("runs again");
    } finally {
      expect(await product.stop()).toBe(0);
    }
    expect(isRunning(postmaster)).toBe(false);
  }, 120_000);

  test("leaves nothing behind when its owner stops at that moment", async () => {
    const database = await openDatabase({ dataDir: directory, settings: { fsync: "off" } });
    const pid = postmaster();
    process.kill(pid, "SIGKILL");
    await waitUntil(() => !isRunning(() => pid));
    await database.stop();
    const sql = openSql(database.url, { max: 1 });
    await expect(sql`select 1`.then(() => "answered")).rejects.toThrow();
    await sql.end();
    // The next one finds everything in order.
    const next = await openDatabase({ dataDir: directory, settings: { fsync: "off" } });
    expect(next.owner).toBe(true);
    await next.stop();
  });
});

describe("superviseServer()", () => {
  const dead = { port: 1, ended: Promise.resolve("SIGKILL"), stop: async () => {} };

  test("gives a server up that does not start again, after as many attempts as there are pauses", async () => {
    const ports: number[] = [];
    const restart = async (port: number) => {
      ports.push(port);
      throw new Error("No space left on the device");
    };
    const supervisor = superviseServer(dead, { restart, pauses: [1, 1, 1] });
    await waitUntil(() => ports.length === 3);
    await supervisor.stop();
    expect(ports).toEqual([1, 1, 1]);
  });

  test("gives a server up that starts but does not stay", async () => {
    let starts = 0;
    const restart = async () => {
      starts += 1;
      return dead;
    };
    const supervisor = superviseServer(dead, { restart, pauses: [1, 1, 1] });
    await waitUntil(() => starts === 3);
    await supervisor.stop();
    expect(starts).toBe(3);
  });

  test("leaves the data to the process that owns it now", async () => {
    let asked = 0;
    const restart = async () => {
      asked += 1;
      return undefined;
    };
    const supervisor = superviseServer(dead, { restart, pauses: [1, 1, 1] });
    await waitUntil(() => asked === 1);
    await supervisor.stop();
    expect(asked).toBe(1);
  });
});

function postmaster(): number {
  return Number(readFileSync(join(directory, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
}

/** False also when there is no pid any more. */
function isRunning(pid: () => number): boolean {
  try {
    process.kill(pid(), 0);
    return true;
  } catch {
    return false;
  }
}
