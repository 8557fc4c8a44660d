import { type Client, OpenFeature, ProviderEvents, ProviderStatus } from "@openfeature/server-sdk";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ClientOptions, createClient, type Evaluator } from "../../../server/client/client.ts";
import { createLocalEvaluation } from "../../../server/client/local-evaluation.ts";
import { createProvider } from "../../../server/client/openfeature.ts";
import { createOpenFeatureFlags, SCENARIOS } from "../../support/openfeature-flags.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { wireTo } from "../../support/wire.ts";

/** @openfeature/server-sdk with our own provider, against a real server. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await createOpenFeatureFlags(server.client);
  await server.client.createFeature({ name: "For some", key: "for-some", rollout_percentage: 40 });
  await server.client.createFeature({
    name: "No model yet",
    key: "no-model",
    rollout_percentage: 100,
    ml_enabled: true,
  });
});
afterEach(() => OpenFeature.clearProviders());
afterAll(() => server.close());

async function provide(url = server.url, evaluator: Evaluator = createClient({ url })): Promise<Client> {
  await OpenFeature.setProviderAndWait(createProvider(evaluator));
  return OpenFeature.getClient();
}

describe.each([
  ["the server decides", createClient],
  ["this process decides", createLocalEvaluation],
] as const)("OpenFeature's evaluation scenarios, where %s", (_, create: (options: ClientOptions) => Evaluator) => {
  test.each(SCENARIOS)("%s with the default %j: %j", async (key, byDefault, expected, context) => {
    const client = await provide(server.url, create({ url: server.url }));
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

test("metadata is what telemetry hooks know, and what the decision says of itself", async () => {
  const client = await provide();
  const context = { targetingKey: "ada" };
  const common = { contextId: "ada", flagSetId: "production", version: "1" };
  expect((await client.getBooleanDetails("boolean-flag", false, context)).flagMetadata).toEqual({
    ...common,
    decision_source: "rollout",
    decision_id: expect.any(String),
  });
  expect((await client.getBooleanDetails("no-model", false, context)).flagMetadata).toMatchObject({
    ...common,
    fallback_cause: "no_model",
  });
  expect((await client.getBooleanDetails("gone", false, context)).flagMetadata).toMatchObject({
    contextId: "ada",
    flagSetId: "production",
  });
});

test("without a targeting key: flags that need none are served, others say what is missing, and user_id counts as one", async () => {
  const client = await provide();
  expect(await client.getBooleanDetails("boolean-flag", false)).toMatchObject({ value: true, reason: "STATIC" });
  const nobody = await client.getBooleanDetails("for-some", true, { targetingKey: "" });
  expect(nobody).toMatchObject({ value: true, reason: "ERROR", errorCode: "TARGETING_KEY_MISSING" });
  const ada = await client.getBooleanDetails("for-some", true, { user_id: "ada" });
  expect(ada).toMatchObject({ reason: "SPLIT", flagMetadata: { contextId: "ada" } });
});

test("dates of a context are times, as conditions read them", async () => {
  const when = { attribute: "/joined", op: "before", value: "2026-01-01T00:00:00Z" };
  const rules = [{ when, variant: "on" }];
  await server.client.createFeature({
    name: "Veterans",
    key: "veterans",
    steps: [{ id: "who", strategy: "rule-filters", config: { rules } }],
  });
  const client = await provide();
  const ask = (joined: Date) => client.getBooleanValue("veterans", false, { targetingKey: "ada", joined });
  expect([await ask(new Date("2025-06-01")), await ask(new Date("2026-06-01"))]).toEqual([true, false]);
});

test("a context the server cannot take, and a server that is away, are the default with a code", async () => {
  const wire = await wireTo(server.url);
  const client = await provide(wire.url);
  const long = await client.getBooleanDetails("boolean-flag", false, { targetingKey: "x".repeat(300) });
  expect(long).toMatchObject({ value: false, errorCode: "INVALID_CONTEXT" });
  await wire.cut();
  const away = await client.getStringDetails("string-flag", "default", { targetingKey: "ada" });
  expect(away).toMatchObject({ value: "default", reason: "ERROR", errorCode: "GENERAL" });
  expect(away.errorMessage).toContain("could not be sent");
});

describe("the SDK hears", () => {
  test("of changes", async () => {
    const client = await provide();
    const heard: unknown[] = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, (details) => void heard.push(details?.metadata));
    const feature = { name: "For more", key: "for-some", rollout_percentage: 50 };
    await server.client.updateFeature("for-some", feature);
    await waitUntil(() => heard.length > 0);
    expect(heard[0]).toMatchObject({ environment: "production", revision: expect.any(Number) });
  });

  test("when it is cut off, and when it is back", async () => {
    const wire = await wireTo(server.url);
    const client = await provide(wire.url);
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    await wire.cut();
    await waitUntil(() => client.providerStatus === ProviderStatus.STALE);
    await wire.mend();
    await waitUntil(() => client.providerStatus === ProviderStatus.READY);
    await OpenFeature.clearProviders();
    await wire.cut();
  });

  test("of a server that was away when it started, and came", async () => {
    const wire = await wireTo(server.url);
    await wire.cut();
    await expect(provide(wire.url)).rejects.toThrow("could not be sent");
    const client = OpenFeature.getClient();
    expect(client.providerStatus).toBe(ProviderStatus.ERROR);
    expect(await client.getBooleanValue("boolean-flag", false, { targetingKey: "ada" })).toBe(false);
    await wire.mend();
    await waitUntil(() => client.providerStatus === ProviderStatus.READY);
    expect(await client.getBooleanValue("boolean-flag", false, { targetingKey: "ada" })).toBe(true);
    await OpenFeature.clearProviders();
    await wire.cut();
  });
});

test("track stores events, at the latest when the provider is closed", async () => {
  const client = await provide();
  const context = { targetingKey: "ada", plan: "pro" };
  client.track("purchase", context, { value: 49.9, feature_key: "checkout", coupon: "x", cart: { size: 2 } });
  client.track("visit", context);
  await OpenFeature.clearProviders();
  const { events } = await server.client.listEvents({ user_id: "ada" });
  expect(events.map(({ event_type, feature_key, properties }) => ({ event_type, feature_key, properties }))).toEqual(
    expect.arrayContaining([
      { event_type: "purchase", feature_key: "checkout", properties: { value: 49.9, coupon: "x" } },
      { event_type: "visit", feature_key: "app", properties: {} },
    ]),
  );
  expect(events).toHaveLength(2);
});

test("decisions of this process and a client to track with make one provider", async () => {
  const local = createLocalEvaluation({ url: server.url });
  await OpenFeature.setProviderAndWait(createProvider(local, createClient({ url: server.url })));
  const client = OpenFeature.getClient();
  const context = { targetingKey: "bob" };
  expect(await client.getBooleanDetails("boolean-flag", false, context)).toMatchObject({
    value: true,
    flagMetadata: { contextId: "bob", flagSetId: "production", version: "1" },
  });
  client.track("visit", context);
  await OpenFeature.clearProviders();
  expect((await server.client.listEvents({ user_id: "bob" })).events).toHaveLength(1);
});
