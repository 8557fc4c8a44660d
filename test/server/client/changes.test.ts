import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Client, type ClientOptions, createClient } from "../../../server/client/client.ts";
import type { Change } from "../../../server/client/evaluator.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { type Wire, wireTo } from "../../support/wire.ts";

let server: TestServer;
let wire: Wire;
const clients: Client[] = [];
beforeAll(async () => {
  server = await startTestServer();
  await server.client.createFeature({ key: "checkout", name: "Checkout" });
});
beforeEach(async () => {
  wire = await wireTo(server.url);
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await wire.cut();
});
afterAll(() => server.close());

function connect(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: wire.url, ...options });
  clients.push(client);
  return client;
}

let percentage = 0;
const change = () =>
  server.client.updateFeature("checkout", { key: "checkout", name: "Checkout", rollout_percentage: ++percentage });
const revision = () => server.services.snapshots.get("production")?.revision ?? 0;
const types = (heard: readonly Change[]) => heard.map(({ type }) => type);

describe("onChange", () => {
  test("calls back when something has changed, with the environment and its revision", async () => {
    const client = connect();
    const heard: Change[] = [];
    client.onChange((told) => heard.push(told));
    await waitUntil(() => client.environment === "production");
    expect(heard, "what is so already has not changed").toEqual([]);
    await change();
    await waitUntil(() => heard.length > 0);
    expect(heard).toEqual([{ type: "changed", environment: "production", revision: revision() }]);
  });

  test("opens one stream, however many listen, and none when nobody does any more", async () => {
    const client = connect();
    const counts = [0, 0];
    const stop = [0, 1].map((at) => client.onChange(() => (counts[at] = (counts[at] ?? 0) + 1)));
    await waitUntil(() => client.environment !== undefined);
    await change();
    await waitUntil(() => counts.every((count) => count === 1));
    expect(wire.connections).toBe(1);
    stop[0]?.();
    await change();
    await waitUntil(() => counts[1] === 2);
    expect(counts[0]).toBe(1);
    stop[1]?.();
    await waitUntil(() => streams() === 0);
    await change();
    expect(counts).toEqual([1, 2]);
  });

  test("opens the stream again when it breaks, and tells what was missed once", async () => {
    const client = connect();
    const heard: Change[] = [];
    client.onChange((told) => heard.push(told));
    await waitUntil(() => client.environment !== undefined);
    await wire.cut();
    await change();
    await change();
    await wire.mend();
    await waitUntil(() => types(heard).includes("changed"));
    expect(heard.filter(({ type }) => type === "changed")).toEqual([
      { type: "changed", environment: "production", revision: revision() },
    ]);
  });

  test("tells when changes are not heard of any more, and when they are again", async () => {
    const client = connect();
    const heard: Change[] = [];
    client.onChange((told) => heard.push(told));
    await waitUntil(() => client.environment !== undefined);
    await wire.cut();
    await waitUntil(() => heard.length > 0);
    expect(heard).toEqual([{ type: "stale", message: expect.stringContaining("could not be sent") }]);
    await wire.mend();
    await waitUntil(() => heard.length > 1);
    expect(types(heard)).toEqual(["stale", "fresh"]);
  });

  test("follows the environment of the client", async () => {
    await server.client.createEnvironment("staging");
    const client = connect({ environment: "staging" });
    const heard: Change[] = [];
    client.onChange((told) => heard.push(told));
    await waitUntil(() => client.environment === "staging");
    await change();
    await createClient({ url: server.url, environment: "staging" }).createFeature({ key: "other", name: "Other" });
    await waitUntil(() => heard.length > 0);
    expect(heard).toMatchObject([{ type: "changed", environment: "staging" }]);
  });

  test("ends with the client", async () => {
    const client = connect();
    const heard: Change[] = [];
    client.onChange((told) => heard.push(told));
    await waitUntil(() => client.environment !== undefined);
    await client.close();
    await waitUntil(() => streams() === 0);
    client.onChange((told) => heard.push(told));
    await change();
    expect(heard).toEqual([]);
  });
});

const streams = () => server.services.metrics.snapshot().gauges.ofrep_event_streams;

describe("ready", () => {
  test("resolves when the server decides, and knows the environment then", async () => {
    const client = connect();
    expect(client.environment).toBeUndefined();
    await client.ready();
    expect(client.environment).toBe("production");
  });

  test("rejects when the server is away, and for an environment that is not there", async () => {
    await expect(connect({ environment: "gone" }).ready()).rejects.toMatchObject({ code: "unknown_environment" });
    await wire.cut();
    await expect(connect().ready()).rejects.toMatchObject({ code: "unreachable" });
    await wire.mend();
  });

  test("rejects without a valid token, and the stream needs one too", async () => {
    const settings = { AUTH_ENABLED: "true", AUTH_JWT_SECRET: "s".repeat(40), AUTH_ISSUER_KEY: "k".repeat(40) };
    const guarded = await startTestServer({ settings });
    const { access_token: token } = await guarded.client.issueToken({ issuer_key: settings.AUTH_ISSUER_KEY });
    await expect(connect({ url: guarded.url }).ready()).rejects.toMatchObject({ status: 401 });
    const client = connect({ url: guarded.url, token });
    await client.ready();
    expect(client.environment).toBe("production");
    await guarded.close();
  });
});
