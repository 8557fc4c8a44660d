import { type Client, OpenFeature } from "@openfeature/server-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ofrepServerProvider } from "../../../support/ofrep-server-provider.ts";
import { createOpenFeatureFlags, SCENARIOS } from "../../../support/openfeature-flags.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";

/** @openfeature/server-sdk against a real server. */
let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer();
  await createOpenFeatureFlags(server.client);
  await server.client.createFeature({ name: "For some", key: "for-some", rollout_percentage: 40 });
  await OpenFeature.setProviderAndWait(ofrepServerProvider(server.url));
  client = OpenFeature.getClient();
});
afterAll(async () => {
  await OpenFeature.close();
  await server.close();
});

describe("OpenFeature's evaluation scenarios", () => {
  test.each(SCENARIOS)("%s with the default %j: %j", async (key, byDefault, expected, context) => {
    const asked = { targetingKey: "ada", ...context };
    const details = await (typeof byDefault === "boolean"
      ? client.getBooleanDetails(key, byDefault, asked)
      : typeof byDefault === "string"
        ? client.getStringDetails(key, byDefault, asked)
        : typeof byDefault === "number"
          ? client.getNumberDetails(key, byDefault, asked)
          : client.getObjectDetails(key, byDefault, asked));
    expect(details).toMatchObject({ flagKey: key, ...expected });
  });
});

test("metadata names context, flag set and version, as telemetry hooks want them", async () => {
  const { flagMetadata } = await client.getBooleanDetails("boolean-flag", false, { targetingKey: "ada" });
  expect(flagMetadata).toEqual({ contextId: "ada", flagSetId: "production", version: "1" });
});

test("without a targeting key: flags that need none are served, others say what is missing", async () => {
  expect(await client.getBooleanDetails("boolean-flag", false)).toMatchObject({ value: true, reason: "STATIC" });
  expect(await client.getBooleanDetails("for-some", true)).toMatchObject({
    value: true,
    reason: "ERROR",
    errorCode: "TARGETING_KEY_MISSING",
  });
});

test("a context that cannot be used is INVALID_CONTEXT", async () => {
  const details = await client.getBooleanDetails("boolean-flag", false, { targetingKey: "x".repeat(300) });
  expect(details).toMatchObject({
    value: false,
    errorCode: "INVALID_CONTEXT",
    errorMessage: expect.stringContaining("200"),
  });
});

test("an odd key is asked for as it is", async () => {
  const key = "a flag/with#odd?key%2F";
  const { errorCode, errorMessage } = await client.getBooleanDetails(key, false, { targetingKey: "ada" });
  expect([errorCode, errorMessage]).toEqual(["FLAG_NOT_FOUND", expect.stringContaining(key)]);
});

test("a wrong environment and a stopped server give the default", async () => {
  await OpenFeature.setProviderAndWait("lost", ofrepServerProvider(server.url, [["X-Environment", "nowhere"]]));
  const lost = OpenFeature.getClient("lost");
  expect(await lost.getBooleanDetails("boolean-flag", false)).toMatchObject({
    value: false,
    errorCode: "GENERAL",
    errorMessage: expect.stringContaining("nowhere"),
  });
  await OpenFeature.setProviderAndWait("gone", ofrepServerProvider("http://127.0.0.1:9"));
  expect(await OpenFeature.getClient("gone").getBooleanValue("boolean-flag", false)).toBe(false);
});
