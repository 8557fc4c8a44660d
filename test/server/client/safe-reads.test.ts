import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../../../core/json.ts";
import type { User } from "../../../core/strategy.ts";
import { createClient } from "../../../server/client/client.ts";
import type { Details } from "../../../server/client/details.ts";
import { type SafeReads, safeReads } from "../../../server/client/safe-reads.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const everyone = (variant: string) => [
    { id: "all", strategy: "hash-bucketing", config: { arms: [{ variant, weight: 100 }] } },
  ];
  const { client } = server;
  await client.createFeature({ key: "checkout", name: "Checkout", rollout_percentage: 100 });
  const sizes = { small: 10, large: 50 };
  await client.createFeature({
    key: "page-size",
    name: "Page size",
    type: "number",
    variants: sizes,
    off_variant: "small",
    steps: everyone("large"),
  });
  await client.createFeature({
    key: "theme",
    name: "Theme",
    type: "object",
    variants: { plain: { dark: false }, dim: { dark: true } },
    off_variant: "plain",
    steps: everyone("dim"),
  });
  await client.createFeature({ key: "off", name: "Off", enabled: false });
});
afterAll(() => server.close());

const ada = { user_id: "ada" };

test("a read answers with the value, as the type of the default", async () => {
  const { client } = server;
  const on: boolean = await client.value("checkout", ada, false);
  const size: number = await client.value("page-size", ada, 20);
  const theme: { dark: boolean } = await client.value("theme", ada, { dark: false });
  expect([on, size, theme]).toEqual([true, 50, { dark: true }]);
  const values: { checkout: boolean; "page-size": number; gone: string } = await client.values(ada, {
    checkout: false,
    "page-size": 20,
    gone: "default",
  });
  expect(values).toEqual({ checkout: true, "page-size": 50, gone: "default" });
  expect(await Promise.all(["checkout", "page-size", "off"].map((key) => client.enabled(key, ada)))).toEqual([
    true,
    true,
    false,
  ]);
});

test("details tell the variant, the reason and the whole decision", async () => {
  expect(await server.client.details("page-size", ada, 20)).toMatchObject({
    feature_key: "page-size",
    value: 50,
    variant: "large",
    reason: "STATIC",
    decision: { decision_source: "rollout", feature_version: 1, decision_id: expect.any(String) },
  });
});

test("a user without an id gets what needs none", async () => {
  const { client } = server;
  expect(await client.details("checkout", {}, false)).toMatchObject({ value: true, variant: "on", reason: "STATIC" });
  await client.createFeature({ key: "for-some", name: "For some", rollout_percentage: 40 });
  expect(await client.values({}, { checkout: false, "for-some": true })).toEqual({ checkout: true, "for-some": true });
  expect(await client.details("for-some", {}, true)).toMatchObject({
    value: true,
    error_code: "TARGETING_KEY_MISSING",
  });
});

describe("what cannot be read is the default, and the details say why:", () => {
  const says = (details: Details<Json>, code: string, message: RegExp) => {
    expect(details).toMatchObject({ value: "default", variant: null, reason: "ERROR", error_code: code });
    expect(details.error_message).toMatch(message);
  };
  /** One by one, several at once, and `enabled`, all of which must not throw. */
  async function read(reads: SafeReads, key: string, about: object = ada): Promise<Details<Json>> {
    const user = about as User;
    const details = await reads.details(key, user, "default");
    expect(await reads.value(key, user, "default")).toBe("default");
    expect(await reads.values(user, { [key]: "default" })).toEqual({ [key]: "default" });
    if (details.error_code !== "TYPE_MISMATCH")
      expect([await reads.enabled(key, user, true), await reads.enabled(key, user)]).toEqual([true, false]);
    return details;
  }

  test("no such feature", async () => {
    says(await read(server.client, "gone"), "FLAG_NOT_FOUND", /no feature "gone"/);
  });

  test("another type", async () => {
    says(await read(server.client, "checkout"), "TYPE_MISMATCH", /"checkout" is of the type boolean, not string/);
  });

  test("a user the server cannot take", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20)}1${"}".repeat(20)}`);
    says(await read(server.client, "checkout", { user_id: "ada", deep }), "INVALID_CONTEXT", /nest at most 10 deep/);
    says(await read(server.client, "checkout", { user_id: "x".repeat(300) }), "INVALID_CONTEXT", /200/);
    says(await read(server.client, "checkout", { user_id: 7 }), "INVALID_CONTEXT", /string/);
  });

  test("an attribute that is no JSON", async () => {
    const circle: Record<string, unknown> = { user_id: "ada" };
    circle.circle = circle;
    says(await read(server.client, "checkout", circle), "GENERAL", /circular/i);
    says(await read(server.client, "checkout", { user_id: "ada", big: 1n }), "GENERAL", /BigInt/);
  });

  test("a server that refuses, is away, or does not answer in time", async () => {
    const { url } = server;
    says(await read(createClient({ url, environment: "gone" }), "checkout"), "GENERAL", /environment "gone"/);
    says(await read(createClient({ url: "http://localhost:2" }), "checkout"), "GENERAL", /could not be sent/);
    says(await read(createClient({ url: "no address" }), "checkout"), "GENERAL", /no address/);
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const hasty = createClient({ url: `http://127.0.0.1:${port}`, timeout: 50 });
    says(await read(hasty, "checkout"), "GENERAL", /no answer within 50 ms/);
    silent.closeAllConnections();
    silent.close();
    const token = () => Promise.reject(new Error("The vault is shut"));
    says(await read(createClient({ url, token }), "checkout"), "GENERAL", /The vault is shut/);
  });

  test("an evaluator that throws, or tells nonsense", async () => {
    const throwing = safeReads({
      evaluate() {
        throw new Error("No snapshot yet");
      },
    });
    says(await read(throwing, "checkout"), "GENERAL", /No snapshot yet/);
    says(await read(safeReads({ evaluate: () => Promise.reject("a word") }), "checkout"), "GENERAL", /a word/);
    says(await read(safeReads({ evaluate: () => null as never }), "checkout"), "GENERAL", /null/);
  });
});
