import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Decision } from "../../../../core/decision/decision.ts";
import { evaluate } from "../../../../core/engine/evaluate.ts";
import { compile } from "../../../../core/engine/snapshot.ts";
import { flagAnswer, KEY_MISSING } from "../../../../server/http/ofrep/flag-answer.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../../../support/make-configuration.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { waitUntil } from "../../../support/wait-until.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.createFeature({ name: "For all", key: "for-all", rollout_percentage: 100 });
  await server.client.createFeature({ name: "For some", key: "for-some", rollout_percentage: 40 });
  await server.client.createFeature({
    name: "With a model",
    key: "with-model",
    rollout_percentage: 40,
    ml_enabled: true,
  });
  await server.client.createFeature({ name: "Switched off", key: "switched-off", enabled: false });
  await server.client.createFeature({
    name: "By organisation",
    key: "by-org",
    steps: [
      {
        id: "split",
        strategy: "hash-bucketing",
        config: {
          unit: ["org_id"],
          arms: [
            { variant: "on", weight: 50 },
            { variant: "off", weight: 50 },
          ],
        },
      },
    ],
  });
  await server.client.createFeature({
    name: "Colour",
    key: "colour",
    type: "string",
    variants: { blue: "#00f", green: "#0f0" },
    off_variant: "blue",
    steps: [
      {
        id: "rules",
        strategy: "rule-filters",
        config: { rules: [{ when: { attribute: "/plan", op: "equals", value: "pro" }, variant: "green" }] },
      },
    ],
  });
});
afterAll(() => server.close());

const ask = (key: string, body: unknown, headers?: Record<string, string>) =>
  server.call("POST", `/ofrep/v1/evaluate/flags/${key}`, body, headers);
const ada = { context: { targetingKey: "ada", plan: "pro" } };

describe("POST /ofrep/v1/evaluate/flags/{key} answers", () => {
  test("key, reason, variant, value and the metadata that telemetry hooks know, and nothing else", async () => {
    const { status, headers, body } = await ask("for-all", ada);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(body).toEqual({
      key: "for-all",
      reason: "STATIC",
      variant: "on",
      value: true,
      metadata: { contextId: "ada", flagSetId: "production", version: "1" },
    });
  });

  test.each([
    ["for-some", ada, { reason: "SPLIT" }],
    ["colour", ada, { reason: "TARGETING_MATCH", variant: "green", value: "#0f0" }],
    ["colour", { context: { targetingKey: "bob" } }, { reason: "DEFAULT", variant: "blue", value: "#00f" }],
    ["switched-off", ada, { reason: "DISABLED", variant: "off", value: false }],
  ])("%s for %j: %j", async (key, body, expected) => {
    expect(await ask(key, body)).toMatchObject({ status: 200, body: { key, ...expected } });
  });

  test("what POST /evaluate answers, for whoever is asked about", async () => {
    for (let i = 0; i < 20; i += 1) {
      const user = { user_id: `user-${i}` };
      const { variant, value } = await server.client.evaluate("for-some", user);
      expect((await ask("for-some", { context: { targetingKey: user.user_id } })).body).toMatchObject({
        variant,
        value,
      });
    }
  });

  test("no value, which is the code default, when no variant is served", () => {
    const feature = { ...makeFeature({ key: "empty", steps: [] }), fallback_variant: "gone" };
    const snapshot = compile(makeConfiguration({ features: [feature] }), STRATEGIES);
    const decision = evaluate(snapshot, "empty", { user_id: "ada" }, { now: 0 }) as Decision;
    const metadata = { flagSetId: "production" };
    expect(flagAnswer(decision, metadata)).toEqual({
      key: "empty",
      reason: "DEFAULT",
      metadata: { ...metadata, version: "1" },
    });
  });

  test("the flags of the environment that is asked for", async () => {
    await server.call("POST", "/environments", { key: "staging" });
    expect(await ask("for-all", ada, { "X-Environment": "staging" })).toMatchObject({ status: 404 });
  });
});

describe("without a targeting key", () => {
  test.each([
    ["nothing sent", undefined],
    ["an empty object", {}],
    ["an empty key", { context: { targetingKey: "" } }],
    ["null", { context: { targetingKey: null, user_id: null } }],
  ])("%s: a flag that needs none is decided", async (_, body) => {
    expect((await ask("for-all", body)).body).toEqual({
      key: "for-all",
      reason: "STATIC",
      variant: "on",
      value: true,
      metadata: { flagSetId: "production", version: "1" },
    });
  });

  test.each(["for-some", "with-model"])("%s, which is decided by user, is TARGETING_KEY_MISSING", async (key) => {
    const { status, body } = await ask(key, { context: { plan: "pro" } });
    expect(status).toBe(400);
    expect(body).toEqual({ key, errorCode: "TARGETING_KEY_MISSING", errorDetails: expect.stringContaining(key) });
  });

  test("a split by another unit asks for that one only", async () => {
    expect(await ask("by-org", { context: { org_id: "acme" } })).toMatchObject({
      status: 200,
      body: { reason: "SPLIT" },
    });
    expect(await ask("by-org", {})).toMatchObject({ status: 200, body: { reason: "DEFAULT", variant: "off" } });
  });

  test("a user_id counts as one", async () => {
    expect(await ask("for-some", { context: { user_id: "ada" } })).toMatchObject({
      status: 200,
      body: { reason: "SPLIT", metadata: { contextId: "ada" } },
    });
  });
});

describe("errors", () => {
  test("an unknown flag: 404 FLAG_NOT_FOUND", async () => {
    expect(await ask("not-there", ada)).toMatchObject({
      status: 404,
      body: { key: "not-there", errorCode: "FLAG_NOT_FOUND", errorDetails: expect.stringContaining("not-there") },
    });
  });

  test.each(["a flag/with#odd", "50%", "ä.ö", "__proto__", "a%2Fb", "..", "x?y=1"])(
    "the key %s comes back as it was meant",
    async (key) => {
      // fetch itself would resolve "..", as URLs have it.
      const path = encodeURIComponent(key).replaceAll(".", "%2E");
      const { status, body } = await ask(path, ada);
      if (key === "..") expect(status).toBe(404);
      else expect([status, body.key, body.errorCode]).toEqual([404, key, "FLAG_NOT_FOUND"]);
    },
  );

  test.each([
    ["cut off", "{", "PARSE_ERROR"],
    ["a list", [], "PARSE_ERROR"],
    ["null", "null", "PARSE_ERROR"],
    ["with a context that is text", { context: "ada" }, "INVALID_CONTEXT"],
    ["with a context that is a list", { context: [] }, "INVALID_CONTEXT"],
    ["with a context that is null", { context: null }, "INVALID_CONTEXT"],
    ["with a key that is a number", { context: { targetingKey: 7 } }, "INVALID_CONTEXT"],
    ["with a key that is too long", { context: { targetingKey: "x".repeat(201) } }, "INVALID_CONTEXT"],
    ["with a number that is none", '{"context":{"targetingKey":"a","n":1e999}}', "INVALID_CONTEXT"],
    ["nested too deep", `{"context":${'{"a":'.repeat(20)}1${"}".repeat(20)}}`, "INVALID_CONTEXT"],
    ["too large", { context: { targetingKey: "a", text: "x".repeat(300_000) } }, "INVALID_CONTEXT"],
  ])("a body that is %s: 400", async (_, sent, errorCode) => {
    const { status, body } = await ask("for-all", sent);
    expect(status).toBe(400);
    expect(body).toEqual({ key: "for-all", errorCode, errorDetails: expect.stringMatching(/.{20}/) });
  });

  test("an unknown environment: 400 GENERAL that names those there are", async () => {
    expect(await ask("for-all", ada, { "X-Environment": "nowhere" })).toMatchObject({
      status: 400,
      body: { key: "for-all", errorCode: "GENERAL", errorDetails: expect.stringContaining("production") },
    });
  });

  test("another method: 405 in OFREP's words", async () => {
    const { status, headers, body } = await server.call("GET", "/ofrep/v1/evaluate/flags/for-all");
    expect([status, headers.get("allow"), body.errorCode]).toEqual([405, "POST", "GENERAL"]);
  });

  test("a path that is not there: 404 in OFREP's words", async () => {
    expect(await server.call("POST", "/ofrep/v2/evaluate")).toMatchObject({
      status: 404,
      body: { errorCode: "GENERAL" },
    });
  });
});

test("decisions are stored and counted like any other; those for nobody are counted", async () => {
  await ask("for-all", { context: { targetingKey: "stored" } });
  await server.services.observer.flush();
  await waitUntil(async () => {
    const stored = await server.database.sql`select feature_key, reason from exposures where user_id = 'stored'`;
    return stored.length === 1 && stored[0]?.reason === "STATIC";
  });
  await ask("for-some", {});
  const { counters } = server.services.metrics.snapshot();
  const missing = Object.keys(counters).filter((name) => name.includes(KEY_MISSING));
  expect(missing.join()).toMatch(/^feature_flag_evaluations_total.*for-some.*ERROR/);
});
