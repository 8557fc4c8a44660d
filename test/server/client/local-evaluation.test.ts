import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as businessHours from "../../../docs/examples/business-hours.ts";
import { createClient } from "../../../server/client/client.ts";
import type { Change } from "../../../server/client/evaluator.ts";
import {
  createLocalEvaluation,
  type LocalEvaluation,
  type LocalEvaluationOptions,
} from "../../../server/client/local-evaluation.ts";
import { snapshotFile } from "../../../server/client/snapshot-file.ts";
import { readConfig } from "../../../server/config.ts";
import { assemble } from "../../../server/container.ts";
import { createApp } from "../../../server/http/app.ts";
import { listen } from "../../../server/http/listen.ts";
import type { Services } from "../../../server/services.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { waitUntil } from "../../support/wait-until.ts";

/** A server that can be stopped, and started again on the same database and port. */
interface Running {
  readonly url: string;
  readonly services: Services;
  stop(): Promise<void>;
}

let database: TestDatabase;
let server: Running;
let folder: string;
const open: LocalEvaluation[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "local-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  database = await createTestDatabase();
  server = await start();
});
afterEach(async () => {
  for (const local of open.splice(0)) await local.close();
  await server.stop();
  await database.close();
});

async function start(settings: Readonly<Record<string, string>> = {}, port = 0): Promise<Running> {
  const assembly = await assemble(readConfig(settings), database.url);
  const listening = await listen(createApp(assembly.services), { host: "127.0.0.1", port });
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await listening.close();
    await assembly.close();
  };
  return {
    url: listening.url,
    services: assembly.services,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

const again = (settings?: Readonly<Record<string, string>>) => start(settings, Number(new URL(server.url).port));
const admin = () => createClient({ url: server.url });

function localEvaluation(options: Partial<LocalEvaluationOptions> = {}): LocalEvaluation {
  const local = createLocalEvaluation({ url: server.url, reportAfter: 20, ...options });
  open.push(local);
  return local;
}

async function ready(options?: Partial<LocalEvaluationOptions>): Promise<LocalEvaluation> {
  const local = localEvaluation(options);
  await local.ready();
  return local;
}

const stored = () => database.sql`select decision_id, user_id, feature_key, variant, reason, features from exposures`;

/** fetch that counts what is asked, by path. */
function counting() {
  const asked: string[] = [];
  const counted: typeof fetch = (input, init) => {
    asked.push(new URL(String(input)).pathname);
    return fetch(input, init);
  };
  return { asked, fetch: counted };
}

describe("createLocalEvaluation()", () => {
  test("decides at once, without asking the server", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const { asked, fetch } = counting();
    const local = await ready({ fetch });
    const before = asked.length;
    const decision = local.evaluate("checkout", { user_id: "ada" });
    expect(decision).toMatchObject({ feature_key: "checkout", variant: "on", value: true, reason: "STATIC" });
    expect(local.evaluate("nothing", { user_id: "ada" })).toMatchObject({
      decision_source: "feature_not_found",
      reason: "ERROR",
    });
    expect(await local.evaluateMany(["nothing", "checkout"], { user_id: "ada" })).toMatchObject([
      { variant: null },
      { variant: "on" },
    ]);
    expect(asked.slice(before).filter((path) => path.startsWith("/evaluate"))).toEqual([]);
    expect(local.environment).toBe("production");
  });

  test("follows changes by the stream: what was changed is fetched once, and nothing else is asked", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 0 });
    const { asked, fetch } = counting();
    const local = await ready({ fetch });
    const changes: Change[] = [];
    local.onChange((change) => changes.push(change));
    await waitUntil(() => asked.includes("/changes"));
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "off" });
    await admin().updateFeature("checkout", { key: "checkout", name: "Checkout", rollout_percentage: 100 });
    await waitUntil(() => changes.length > 0);
    const { revision } = server.services.snapshots.get("production") ?? {};
    expect(changes).toEqual([{ type: "changed", environment: "production", revision }]);
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", feature_version: 2 });
    expect(asked.filter((path) => path !== "/exposures")).toEqual(["/snapshot", "/changes", "/snapshot"]);
  });

  test("goes on with the last snapshot while the server is away, and says so; then it catches up", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const local = await ready();
    const told: string[] = [];
    local.onChange(({ type }) => told.push(type));
    await server.stop();
    await waitUntil(() => local.state.stale);
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STALE" });
    server = await again();
    await admin().updateFeature("checkout", { key: "checkout", name: "Checkout", rollout_percentage: 0 });
    await waitUntil(() => !local.state.stale);
    await waitUntil(() => told.includes("changed"));
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "off", reason: "STATIC" });
    expect(told[0]).toBe("stale");
    expect(told).toContain("fresh");
  });

  test("starts from what it kept when the server is away", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const path = join(folder, "kept.json");
    const first = await ready({ persist: snapshotFile(path) });
    await first.close();
    await server.stop();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const local = await ready({ persist: snapshotFile(path) });
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STALE" });
    expect(local.state).toMatchObject({ stale: true, revision: first.state.revision });
    const elsewhere = localEvaluation({ persist: snapshotFile(path), environment: "staging", patience: 50 });
    await expect(elsewhere.ready()).rejects.toThrow("There is no snapshot after 50 ms");
  });

  test("asks about what it kept by its tag, and takes what has changed meanwhile", async () => {
    const path = join(folder, "tagged.json");
    await (await ready({ persist: snapshotFile(path) })).close();
    const kept = await readFile(path, "utf8");
    const statuses: number[] = [];
    const watching: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (String(input).includes("/snapshot")) statuses.push(answer.status);
      return answer;
    };
    await (await ready({ persist: snapshotFile(path), fetch: watching })).close();
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const local = await ready({ persist: snapshotFile(path), fetch: watching });
    expect(statuses).toEqual([304, 200]);
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STATIC" });
    await local.close();
    expect(await readFile(path, "utf8")).not.toBe(kept);
  });

  test.each([
    ["nothing", undefined],
    ["half a file", '{"contract":1,"environment":"produc'],
    ["another contract", '{"contract":2}'],
    ["something else", '{"contract":1,"revision":7}'],
    ["no object", "null"],
  ])("does not mind that %s was kept", async (_, text) => {
    const path = join(folder, "odd.json");
    await rm(path, { force: true });
    if (text !== undefined) await writeFile(path, text);
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const local = await ready({ persist: snapshotFile(path) });
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STATIC" });
  });

  test("a place to keep that throws costs nothing but the keeping", async () => {
    const refuse = () => {
      throw new Error("The disk is full");
    };
    const local = await ready({ persist: { load: refuse, save: refuse } });
    expect(local.state.stale).toBe(false);
  });

  test("asks the server until there is a snapshot, and rejects when nobody can decide", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
    const local = localEvaluation();
    expect(await local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STATIC" });
    await server.stop();
    const nobody = localEvaluation({ patience: 50 });
    await expect(nobody.evaluate("checkout", { user_id: "ada" })).rejects.toMatchObject({ code: "unreachable" });
    await expect(nobody.ready()).rejects.toThrow("could not be sent");
  });

  test("reads a profile that a model wants once, and asks the server for the decision when it cannot", async () => {
    await admin().createFeature({ key: "offer", name: "Offer", rollout_percentage: 100, ml_enabled: true });
    const { asked, fetch } = counting();
    const local = await ready({ fetch });
    for (let times = 0; times < 3; times += 1)
      expect(await local.evaluate("offer", { user_id: "ada" })).toMatchObject({
        decision_source: "rollout",
        fallback: { from: "model", cause: "no_model" },
      });
    expect(asked.filter((path) => /users|evaluate/.test(path))).toEqual(["/users/ada"]);

    const refused: string[] = [];
    const without: typeof globalThis.fetch = async (input, init) => {
      if (!String(input).includes("/users/")) return fetch(input, init);
      refused.push(String(input));
      throw new TypeError("The connection was lost");
    };
    const blind = await ready({ fetch: without });
    expect(await blind.evaluate("offer", { user_id: "ada" })).toMatchObject({ variant: "on", reason: "STATIC" });
    expect([refused.length, asked.filter((path) => path === "/evaluate").length]).toEqual([1, 1]);
  });

  test("whoever is asked about, it does not throw", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 50, ml_enabled: true });
    const local = await ready();
    const hostile = {
      get user_id(): string {
        throw new Error("gotcha");
      },
    };
    for (const user of [undefined, null, 7, "ada", [], {}, { user_id: "" }, { user_id: 7 }, hostile]) {
      const decision = await local.evaluate("checkout", user as never);
      expect(decision.feature_key).toBe("checkout");
    }
  });
});

describe("exposures of local decisions", () => {
  test("arrive once each, although answers are lost and the server is restarted in between", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 50 });
    let lost = 0;
    const losing: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!String(input).endsWith("/exposures") || lost >= 2) return answer;
      lost += 1;
      throw new TypeError("The connection was lost after the server had answered");
    };
    const local = await ready({ fetch: losing });
    const ids = new Set<string>();
    const decide = async (from: number) => {
      for (let user = from; user < from + 300; user += 1) {
        const first = await local.evaluate("checkout", { user_id: `user-${user}` });
        ids.add(first.decision_id);
        await local.evaluate("checkout", { user_id: `user-${user}` });
      }
    };
    await decide(0);
    await waitUntil(() => lost === 2);
    await server.stop();
    await waitUntil(() => local.state.stale);
    await decide(300);
    await local.flush();
    expect(local.state.exposures.waiting).toBeGreaterThanOrEqual(300);
    server = await again();
    await waitUntil(() => local.state.exposures.waiting === 0);
    const rows = await stored();
    expect(rows).toHaveLength(600);
    expect(new Set(rows.map(({ decision_id }) => decision_id))).toEqual(ids);
    expect(new Set(rows.slice().map(({ reason }) => reason))).toEqual(new Set(["SPLIT", "STALE"]));
    expect(local.state.exposures).toEqual({ waiting: 0, dropped: 0, refused: 0 });
  });

  test("hold what the user was at the decision, whatever the caller does with the object", async () => {
    await admin().createFeature({ key: "offer", name: "Offer", objective: { event_types: ["buy"] } });
    const local = await ready({ reportAfter: 60_000 });
    const user = { user_id: "ada", plan: "pro", org: { seats: 3 } };
    await local.evaluate("offer", user);
    user.plan = "free";
    await local.flush();
    expect(await stored()).toMatchObject([{ user_id: "ada", features: { "attribute.plan": "pro" } }]);
  });

  test("are bounded: what is too much while the server is away is dropped and counted", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 50 });
    const local = await ready({ exposureCapacity: 10 });
    await server.stop();
    for (let user = 0; user < 15; user += 1) await local.evaluate("checkout", { user_id: `user-${user}` });
    expect(local.state.exposures).toEqual({ waiting: 10, dropped: 5, refused: 0 });
    server = await again();
    await waitUntil(() => local.state.exposures.waiting === 0);
    expect(await stored()).toHaveLength(10);
  });

  test("that the server refuses for good are counted, and the others are stored", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 50 });
    const local = await ready();
    await local.evaluate("checkout", { user_id: "u".repeat(201) });
    await local.evaluate("checkout", { user_id: "ada" });
    await local.flush();
    expect(local.state.exposures).toEqual({ waiting: 0, dropped: 0, refused: 1 });
    expect(await stored()).toMatchObject([{ user_id: "ada" }]);
  });

  test("are reported by close()", async () => {
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 50 });
    const local = await ready({ reportAfter: 60_000 });
    await local.evaluate("checkout", { user_id: "ada" });
    await local.close();
    expect(await stored()).toHaveLength(1);
  });
});

describe("a feature of a plugin", () => {
  const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const step = { id: "office", strategy: "business-hours", config: { from: 0, to: 24, days: DAYS, variant: "on" } };
  beforeEach(async () => {
    await server.stop();
    server = await again({ PLUGINS: "./docs/examples/business-hours.ts" });
    await admin().createFeature({ key: "support", name: "Support", steps: [step] });
    const asking = { id: "asking", strategy: "hash-bucketing", when: { feature: "support" } };
    const config = { arms: [{ variant: "on", weight: 100 }] };
    await admin().createFeature({ key: "hotline", name: "Hotline", steps: [{ ...asking, config }] });
    await admin().createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
  });

  test("is decided here with its module", async () => {
    const local = await ready({ plugins: [businessHours] });
    expect(local.state.remote).toEqual([]);
    expect(local.evaluate("support", { user_id: "ada" })).toMatchObject({ decision_source: "business-hours" });
    expect(local.evaluate("hotline", { user_id: "ada" })).toMatchObject({ variant: "on" });
  });

  test("is asked from the server without it, as is what asks about it; then it falls back, and says so", async () => {
    const local = await ready();
    expect([...local.state.remote].sort()).toEqual(["hotline", "support"]);
    expect(await local.evaluate("support", { user_id: "ada" })).toMatchObject({ decision_source: "business-hours" });
    expect(await local.evaluate("hotline", { user_id: "ada" })).toMatchObject({ variant: "on" });
    expect(await local.evaluateMany(["support", "checkout"], { user_id: "ada" })).toMatchObject([
      { decision_source: "business-hours", reason: "TARGETING_MATCH" },
      { decision_source: "rollout" },
    ]);
    expect(local.evaluate("checkout", { user_id: "ada" })).toMatchObject({ decision_source: "rollout" });
    await server.stop();
    await waitUntil(() => local.state.stale);
    expect(await local.evaluate("support", { user_id: "ada" })).toMatchObject({
      decision_source: "fallback",
      fallback: { from: "office", cause: "error" },
      reason: "STALE",
    });
  });

  test("that breaks the contract is refused in words", () => {
    const broken = { strategy: { ...businessHours.strategy, id: "hash-bucketing" } };
    expect(() => localEvaluation({ plugins: [broken] })).toThrow('id "hash-bucketing" is taken by another strategy');
  });
});
