import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { FeatureType } from "../../../../core/feature/feature.ts";
import type { Json } from "../../../../core/json.ts";
import type { Client } from "../../../../server/client/client.ts";
import { type Checked, checkServer } from "../../../conformance/ofrep/check-server.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";

/** The conformance kit for OFREP servers, against ours. */
const AUTH = {
  AUTH_ENABLED: "true",
  AUTH_JWT_SECRET: "a secret of at least thirty-two characters",
  AUTH_ISSUER_KEY: "an issuer key of sixteen",
};
let server: TestServer;
let headers: Record<string, string>;
let results: readonly Checked[];
let changes = 0;
beforeAll(async () => {
  server = await startTestServer({ settings: AUTH });
  const { body } = await server.call("POST", "/auth/token", { issuer_key: AUTH.AUTH_ISSUER_KEY });
  headers = { Authorization: `Bearer ${body.access_token}` };
  for (const flag of read<Flag[]>("flags")) await create(featureOf(flag));
  const change = async () => {
    changes += 1;
    await create({ name: "A change", key: `kit-change-${changes}` });
  };
  results = await checkServer(server.url, { headers, change });
});
afterAll(() => server.close());

type Feature = Parameters<Client["createFeature"]>[0];

async function create(feature: Feature): Promise<void> {
  expect((await server.call("POST", "/features", feature, headers)).status).toBe(201);
}

interface Flag {
  readonly key: string;
  readonly type: FeatureType;
  readonly variants: Readonly<Record<string, Json>>;
  readonly serve: string;
  readonly enabled?: boolean;
  readonly split?: Readonly<Record<string, number>>;
  readonly when?: { readonly attribute: string; readonly equals: Json; readonly serve: string };
}

function featureOf({ key, type, variants, serve, enabled = true, split, when }: Flag) {
  const arms = Object.entries(split ?? { [serve]: 100 }).map(([variant, weight]) => ({ variant, weight }));
  const everyone = { id: "split", strategy: "hash-bucketing", config: { arms } };
  const condition = when && { attribute: `/${when.attribute}`, op: "equals", value: when.equals };
  const rules = {
    id: "rules",
    strategy: "rule-filters",
    config: { rules: [{ when: condition, variant: when?.serve }] },
  };
  const steps = when === undefined ? [everyone] : [rules, everyone];
  return { name: `Kit ${key}`, key, type, variants, enabled, off_variant: serve, steps };
}

test("our server passes every case, and skips none", () => {
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(results.length).toBeGreaterThan(40);
});

test("a server that answers anything fails, and is told why", async () => {
  const careless = createServer((_, answer) =>
    answer.setHeader("Content-Type", "application/json").end('{"flags":[]}'),
  );
  await new Promise<void>((resolve) => careless.listen(0, "127.0.0.1", resolve));
  const found = await checkServer(`http://127.0.0.1:${(careless.address() as AddressInfo).port}`, { headers: {} });
  careless.close();
  const passed = found.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  expect(passed).toEqual(["another ETag: 200"]);
  for (const { outcome, detail } of found) if (outcome === "failed") expect(detail).toMatch(/expected|is no /);
});

test("the corrected schemas take what the official ones refuse, and refuse what they take", () => {
  const defs = read<Record<string, object>>("schemas");
  const takes = (name: string, value: unknown) =>
    z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: defs } as never).safeParse(value).success;
  const flag = { key: "a", reason: "STATIC", variant: "on" };
  for (const value of [true, "text", 3, 3.14, { a: 1 }])
    expect(takes("evaluationSuccess", { ...flag, value })).toBe(true);
  expect(takes("evaluationSuccess", { ...flag, reason: "DEFAULT" })).toBe(true);
  expect(takes("bulkEvaluationSuccess", { flags: [{ key: "a", errorCode: "FLAG_NOT_FOUND" }] })).toBe(true);
  expect(takes("evaluationSuccess", { ...flag, value: null })).toBe(false);
  expect(takes("evaluationSuccess", { ...flag, reason: "BECAUSE" })).toBe(false);
  expect(takes("evaluationSuccess", { reason: "STATIC", value: true })).toBe(false);
  expect(takes("evaluationSuccess", { ...flag, errorCode: "GENERAL" })).toBe(false);
  expect(takes("eventStream", { type: "sse" })).toBe(false);
});

function read<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`../../../conformance/ofrep/${name}.json`, import.meta.url), "utf8"));
}
