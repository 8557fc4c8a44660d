import { OFREPWebProvider, type OFREPWebProviderOptions } from "@openfeature/ofrep-web-provider";
import { type Client, OpenFeature, type Provider, ProviderEvents } from "@openfeature/web-sdk";
import { EventSource } from "eventsource";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../../../core/ports.ts";
import { readConfig } from "../../../../server/config.ts";
import { assemble } from "../../../../server/container.ts";
import { createApp } from "../../../../server/http/app.ts";
import { type Listening, listen } from "../../../../server/http/listen.ts";
import { openSnapshots } from "../../../../server/snapshots.ts";
import { createOpenFeatureFlags, SCENARIOS } from "../../../support/openfeature-flags.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { waitUntil } from "../../../support/wait-until.ts";

/** @openfeature/web-sdk with its OFREP provider, in Node: what a browser has and Node has not is put in place. */
let server: TestServer;
let time = Date.UTC(2026, 10, 22, 12);
const clock: Clock = { now: () => time };
beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock }) });
  await createOpenFeatureFlags(server.client);
  await server.client.createFeature(rollout(0));
  await OpenFeature.setContext({ targetingKey: "ada" });
});
afterAll(() => server.close());
beforeEach(() => vi.stubGlobal("EventSource", EventSource));
afterEach(async () => {
  await OpenFeature.clearProviders();
  vi.unstubAllGlobals();
});

const rollout = (rollout_percentage: number) => ({ name: "Rollout", key: "rollout", rollout_percentage });

interface Seen {
  readonly url: URL;
  readonly ifNoneMatch: string | null;
  readonly status: number;
  readonly etag: string | null;
}

/** A client of its own, and every call its provider makes. `via`: where its calls go, when not to `baseUrl`. */
async function connect(options: Partial<OFREPWebProviderOptions> = {}, via?: string) {
  const seen: Seen[] = [];
  const fetchImplementation: typeof fetch = async (input, init) => {
    const request = new Request(input as Request, init);
    const url = new URL(request.url);
    const target = via === undefined ? request : new Request(new URL(url.pathname + url.search, via), request);
    const response = await fetch(target);
    const ifNoneMatch = request.headers.get("if-none-match");
    seen.push({ url, ifNoneMatch, status: response.status, etag: response.headers.get("etag") });
    return response;
  };
  const domain = `test-${Math.random()}`;
  const changed: string[][] = [];
  const provider = new OFREPWebProvider({
    baseUrl: server.url,
    cacheMode: "disabled",
    fetchImplementation,
    ...options,
  });
  // Its types were written without exactOptionalPropertyTypes.
  await OpenFeature.setProviderAndWait(domain, provider as Provider);
  const client = OpenFeature.getClient(domain);
  client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
    changed.push([...(event?.flagsChanged ?? [])]);
  });
  return { client, seen, changed };
}

const streams = () => server.services.metrics.snapshot().gauges.ofrep_event_streams;
const isOn = (client: Client) => client.getBooleanValue("rollout", false);

describe("OpenFeature's evaluation scenarios", () => {
  test.each(SCENARIOS)("%s with the default %j: %j", async (key, byDefault, expected, context) => {
    await OpenFeature.setContext({ targetingKey: "ada", ...context });
    const { client } = await connect({ changeDetection: "none" });
    const details =
      typeof byDefault === "boolean"
        ? client.getBooleanDetails(key, byDefault)
        : typeof byDefault === "string"
          ? client.getStringDetails(key, byDefault)
          : typeof byDefault === "number"
            ? client.getNumberDetails(key, byDefault)
            : client.getObjectDetails(key, byDefault);
    expect(details).toMatchObject({ flagKey: key, ...expected });
    await OpenFeature.setContext({ targetingKey: "ada" });
  });
});

test("the whole cycle: evaluate, listen, hear of a change, fetch with ETag and flagConfigEtag, serve the new value", async () => {
  const { client, seen, changed } = await connect();
  expect(isOn(client)).toBe(false);
  expect(seen.map(({ status }) => status)).toEqual([200]);
  await waitUntil(() => streams() === 1);

  await server.client.updateFeature("rollout", rollout(100));
  await waitUntil(() => isOn(client));
  const revision = server.services.snapshots.get("production")?.revision;
  expect(seen).toHaveLength(2);
  expect(seen[1]).toMatchObject({ ifNoneMatch: seen[0]?.etag, status: 200 });
  expect(seen[1]?.url.searchParams.get("flagConfigEtag")).toBe(`"production.${revision}"`);
  expect(seen[1]?.url.searchParams.get("flagConfigLastModified")).toBe(String(time / 1000));
  expect(changed).toEqual([["rollout"]]);
  expect(client.getBooleanDetails("rollout", false)).toMatchObject({
    variant: "on",
    reason: "STATIC",
    flagMetadata: { contextId: "ada", flagSetId: "production" },
  });

  await OpenFeature.clearProviders();
  await waitUntil(() => streams() === 0);
  await server.client.updateFeature("rollout", rollout(0));
});

test("another context is another answer, over the same connection", async () => {
  const { client, seen } = await connect();
  await waitUntil(() => streams() === 1);
  await OpenFeature.setContext({ targetingKey: "bob" });
  expect(client.getBooleanDetails("boolean-flag", false).flagMetadata).toMatchObject({ contextId: "bob" });
  expect(seen.map(({ status, ifNoneMatch }) => [status, ifNoneMatch])).toEqual([
    [200, null],
    [200, null],
  ]);
  expect(streams()).toBe(1);
  await OpenFeature.setContext({ targetingKey: "ada" });
});

test("polling gets 304 until something changes", async () => {
  const { client, seen } = await connect({ changeDetection: "polling", pollInterval: 20 });
  await waitUntil(() => seen.length > 3);
  expect(seen.slice(1).map(({ status }) => status)).toEqual(seen.slice(1).map(() => 304));
  await server.client.updateFeature("rollout", rollout(100));
  await waitUntil(() => isOn(client));
  await server.client.updateFeature("rollout", rollout(0));
});

test("a page that comes again serves what it stored, asks with its ETag and listens where it did before", async () => {
  const stored = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
    removeItem: (key: string) => stored.delete(key),
  });
  // Stored under the domain, among others: both visits have the same one.
  const cacheKeyGenerator = ({ targetingKey }: { targetingKey?: string | undefined }) => targetingKey ?? "";
  const visit = { cacheMode: "local-cache-first", cacheKeyGenerator } as const;
  await connect(visit);
  expect(stored.size).toBe(1);
  await OpenFeature.clearProviders();
  await waitUntil(() => streams() === 0);

  const { client, seen } = await connect(visit);
  expect(client.getBooleanDetails("boolean-flag", false)).toMatchObject({ value: true, reason: "CACHED" });
  await waitUntil(() => seen.length === 1 && streams() === 1);
  expect(seen[0]).toMatchObject({ status: 304 });
  expect(seen[0]?.ifNoneMatch).toBe(seen[0]?.etag);
});

test("a client that hears from one server and asks another, which has not heard yet, gets the new value", async () => {
  const other = await assemble(readConfig({}), server.database.url);
  // Nobody tells it, and it does not look by itself.
  const configuration = { ...other.services.configuration, listen: async () => ({ close: async () => {} }) };
  const snapshots = await openSnapshots({ ...other.services, configuration, pollMs: 1e9 });
  const late = await listen(createApp({ ...other.services, snapshots }), { host: "127.0.0.1", port: 0 });
  const { client, seen } = await connect({}, late.url);
  await waitUntil(() => streams() === 1);
  expect(isOn(client)).toBe(false);
  await server.client.updateFeature("rollout", rollout(100));
  await waitUntil(() => seen.length > 1);
  expect(seen[1]?.status).toBe(200);
  await waitUntil(() => isOn(client));
  await late.close();
  await snapshots.close();
  await other.close();
  await server.client.updateFeature("rollout", rollout(0));
});

test("after hours, and a restart of the server, a client finds its way back to a stream", async () => {
  const start = (port = 0) => listen(createApp(server.services), { host: "127.0.0.1", port });
  let listening: Listening = await start();
  const { client, seen } = await connect({ baseUrl: listening.url });
  await waitUntil(() => streams() === 1);
  time += 3 * 3_600_000;
  await listening.close();
  // The address it has is expired now: refused, it asks again with its ETag, and must not get 304.
  listening = await start(Number(new URL(listening.url).port));
  await waitUntil(() => seen.length === 2 && streams() === 1);
  expect(seen[1]).toMatchObject({ ifNoneMatch: seen[0]?.etag, status: 200 });
  await server.client.updateFeature("rollout", rollout(100));
  await waitUntil(() => isOn(client));
  await OpenFeature.clearProviders();
  await listening.close();
  await server.client.updateFeature("rollout", rollout(0));
});

test("without a valid token the provider ends as fatal", async () => {
  const guarded = await startTestServer({
    settings: {
      AUTH_ENABLED: "true",
      AUTH_JWT_SECRET: "a secret of at least thirty-two characters",
      AUTH_ISSUER_KEY: "an issuer key of sixteen",
    },
  });
  const { body } = await guarded.call("POST", "/auth/token", { issuer_key: "an issuer key of sixteen" });
  await expect(connect({ baseUrl: guarded.url })).rejects.toThrow("Initialization failed");
  const { client } = await connect({ baseUrl: guarded.url, headers: [["X-API-Key", body.access_token]] });
  expect(client.getBooleanDetails("boolean-flag", true)).toMatchObject({ value: true, errorCode: "FLAG_NOT_FOUND" });
  await guarded.close();
});
