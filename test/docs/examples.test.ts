import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GrowthBook } from "@growthbook/growthbook";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OPENS_AFTER } from "../../core/engine/breaker.ts";
import { strategy as businessHours } from "../../docs/examples/business-hours.ts";
import { bucketing } from "../../docs/examples/growthbook-hash.ts";
import { strategy as httpScorer } from "../../docs/examples/http-scorer.ts";
import { describeAlgorithm, describeStrategy } from "../../plugins/kit/describe.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** A real service that scores: users of the plan pro high, the others low. */
let scorer: Server;
/** The plans it was asked about. */
const asked = new Set<string>();
let behave: "answer" | "hang" | "fail" = "answer";
let server: TestServer;

beforeAll(async () => {
  scorer = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { user } = JSON.parse(Buffer.concat(chunks).toString());
      asked.add(user.plan);
      if (behave === "hang") return;
      response.writeHead(behave === "fail" ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ score: user.plan === "pro" ? 0.9 : 0.1 }));
    });
  });
  await new Promise<void>((resolve) => scorer.listen(0, "127.0.0.1", resolve));
  process.env.SCORER_URL = `http://127.0.0.1:${(scorer.address() as AddressInfo).port}/score`;
  server = await startTestServer({ settings: { PLUGINS: "./docs/examples" } });
});
afterEach(() => {
  behave = "answer";
});
afterAll(async () => {
  await server?.close();
  scorer.closeAllConnections();
  await new Promise((resolve) => scorer.close(resolve));
});

describe("the examples hold the contract", () => {
  const plain = { variant: "on" };
  describeStrategy(
    businessHours,
    {
      configs: [plain, { variant: "on", time_zone: "Asia/Tokyo", days: ["Sun"], from: 0, to: 24 }],
      refused: [{}, { ...plain, time_zone: "Moon" }, { ...plain, from: 17, to: 9 }, { ...plain, day: "Mon" }],
      moments: [Date.UTC(2026, 10, 30, 12), Date.UTC(2026, 10, 29, 12), 0],
    },
    test,
  );
  const scored = { attributes: ["plan", "age"], variant: "on" };
  describeStrategy(
    httpScorer,
    { configs: [scored], refused: [{}, { ...scored, threshold: 2 }, { ...scored, attributes: [] }] },
    test,
  );
  for (const [name, algorithm] of Object.entries(bucketing)) describeAlgorithm(name, algorithm, {}, test);
});

test("under vitest the kit asks for its test function", () => {
  expect(() => describeStrategy(businessHours, { configs: [] })).toThrow("pass its own `test`");
});

test("growthbook-v2 puts users where GrowthBook itself puts them", () => {
  const bucketOf = bucketing["growthbook-v2"]?.prepare("checkout", 100_000) as (unit: string) => number;
  const ids = [...Array.from({ length: 2000 }, (_, index) => `user-${index}`), "Zoë", "日本\u{1F600}", "42"];
  for (const id of ids) {
    const gb = new GrowthBook({ attributes: { id } });
    const { bucket } = gb.run({ key: "any", seed: "checkout", hashVersion: 2, variations: [0, 1] });
    expect(bucketOf(id) / 100_000, id).toBeCloseTo(bucket as number, 10);
    gb.destroy();
  }
});

describe("the examples in a running server", () => {
  const evaluate = async (feature_key: string, user: object, more: object = {}) =>
    (await server.call("POST", "/evaluate", { feature_key, user, explain: true, ...more })).body;
  const create = (key: string, steps: readonly object[]) =>
    server.call("POST", "/features", { key, name: `Feature ${key}`, steps });
  const rollout = { id: "rest", strategy: "hash-bucketing", config: { arms: [{ variant: "off", weight: 100 }] } };

  test("business-hours decides by the clock", async () => {
    const config = { variant: "on", from: 0, to: 24, days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] };
    await create("always-open", [{ id: "office", strategy: "business-hours", config }, rollout]);
    expect(await evaluate("always-open", { user_id: "ada" })).toMatchObject({ variant: "on", step: "office" });
  });

  test("growthbook-v2 divides a rollout, and its seed is kept when the weights change", async () => {
    const arms = (on: number) => [
      { variant: "on", weight: on },
      { variant: "off", weight: 100 - on },
    ];
    const bucketBy = { algorithm: "growthbook-v2", seed: "checkout" };
    const split = (config: object) => ({ id: "split", strategy: "hash-bucketing", config });
    await create("taken-over", [split({ bucketing: bucketBy, arms: arms(25) })]);
    const bucketOf = bucketing["growthbook-v2"]?.prepare("checkout", 100_000) as (unit: string) => number;
    for (let index = 0; index < 50; index += 1) {
      const user_id = `user-${index}`;
      const bucket = bucketOf(user_id);
      const variant = bucket < 25_000 ? "on" : "off";
      expect(await evaluate("taken-over", { user_id })).toMatchObject({
        variant,
        trace: { steps: [{ evidence: { bucket } }] },
      });
    }
    const write = { key: "taken-over", name: "Feature taken-over", steps: [split({ arms: arms(50) })] };
    const { body } = await server.call("PUT", "/features/taken-over", write);
    expect(body.steps[0].config.bucketing).toEqual({ ...bucketBy, buckets: 100_000 });
  });

  test("http-scorer decides by the service's score, sends named attributes only, and stays within its budget", async () => {
    const config = { attributes: ["plan"], threshold: 0.7, variant: "on" };
    await create("scored", [{ id: "scored", strategy: "http-scorer", config, budget_ms: 2000 }, rollout]);
    expect(await evaluate("scored", { user_id: "ada", plan: "pro" })).toMatchObject({ variant: "on", score: 0.9 });
    expect(await evaluate("scored", { user_id: "bob", plan: "free" })).toMatchObject({
      variant: "off",
      fallback: null,
    });
    expect(await evaluate("scored", { user_id: "eve" })).toMatchObject({
      variant: "off",
      fallback: { from: "scored", cause: "missing_features" },
    });
    behave = "fail";
    expect(await evaluate("scored", { user_id: "ada", plan: "pro" })).toMatchObject({
      variant: "off",
      fallback: { cause: "error" },
      trace: { steps: [{ detail: "The scorer answers 503" }, {}] },
    });
  });

  test("a scorer that hangs is a timeout, and after five of them is left alone", async () => {
    const config = { attributes: ["plan"], variant: "on" };
    await create("hanging", [{ id: "scored", strategy: "http-scorer", config, budget_ms: 20 }, rollout]);
    behave = "hang";
    const user = { user_id: "ada", plan: "pro" };
    for (let time = 0; time < OPENS_AFTER; time += 1)
      expect(await evaluate("hanging", user)).toMatchObject({ variant: "off", fallback: { cause: "timeout" } });
    const next = { user_id: "bob", plan: "spared" };
    expect(await evaluate("hanging", next)).toMatchObject({ variant: "off", fallback: { cause: "open_circuit" } });
    behave = "answer";
    await evaluate("scored", user);
    expect(asked.has("pro")).toBe(true);
    expect(asked.has("spared"), "the service is not asked any more").toBe(false);
  });

  test("every config is a component of the API document and one of the choices of a step's", async () => {
    const { components } = (await server.call("GET", "/openapi.json")).body;
    expect(components.schemas.HttpScorerConfig).toMatchObject({
      title: "http-scorer",
      type: "object",
      required: ["attributes", "variant"],
      properties: { threshold: { default: 0.5, maximum: 1 } },
    });
    const names = ["RuleFilters", "HashBucketing", "MlModel", "Bandit", "BusinessHours", "HttpScorer"];
    expect(components.schemas.StepConfig.anyOf).toEqual(
      names.map((name) => ({ $ref: `#/components/schemas/${name}Config` })),
    );
    expect(JSON.stringify(components.schemas.FeatureWrite)).toContain('"#/components/schemas/StepConfig"');
  });

  test.each([
    [{ strategy: "business-hours", config: { variant: "on", to: 25 } }, "steps.0.config.to"],
    [{ strategy: "business-hours", config: { variant: "on", form: 9 } }, "steps.0.config.form"],
    [{ strategy: "http-scorer", config: { variant: "on", attributes: [7] } }, "steps.0.config.attributes.0"],
    [
      { strategy: "hash-bucketing", config: { ...rollout.config, bucketing: { algorithm: "md5-v1", seed: "s" } } },
      "steps.0.config.bucketing.algorithm",
    ],
  ])("a wrong config is refused where it is wrong: %j", async (step, field) => {
    const { status, body } = await create("wrong", [{ id: "one", ...step }]);
    expect([status, body.detail.field]).toEqual([422, field]);
    if (field.endsWith("algorithm")) expect(body.detail.message).toContain("use one of murmur3-v1, growthbook-v2");
  });
});
