import { registerHooks } from "node:module";
import process from "node:process";
import { type EvaluationDetails, type Hook, OpenFeature, type Provider } from "@openfeature/server-sdk";
import { trace } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../server/client/client.ts";
import { createProvider } from "../../../server/client/openfeature.ts";
import { startTelemetry } from "../../../server/telemetry/start-telemetry.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { ofrepServerProvider } from "../../support/ofrep-server-provider.ts";
import { type Product, startProduct } from "../../support/product.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { type Collector, startCollector } from "../telemetry/collector.ts";

/**
 * OpenFeature's own telemetry hooks in an application: what they tell a collector of our decisions. The server is another process,
 * which tells nothing itself.
 */
let database: TestDatabase;
let product: Product;
let collector: Collector;
let telemetry: Awaited<ReturnType<typeof startTelemetry>>;
let hooks: Hook[];

beforeAll(async () => {
  database = await createTestDatabase();
  product = await startProduct({ DATABASE_URL: database.url });
  collector = await startCollector();
  // The SDK itself reads the process's environment.
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL = "http/json";
  process.env.OTEL_BSP_SCHEDULE_DELAY = "50";
  process.env.OTEL_BLRP_SCHEDULE_DELAY = "50";
  telemetry = await startTelemetry({ environment: process.env, serviceVersion: "1.2.3" });
  // The hooks (1.0.0) look for the logs API in the package it was in before @opentelemetry/api 1.10.
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === "@opentelemetry/api-logs" ? "@opentelemetry/api" : specifier, context),
  });
  const { EventHook, SpanEventHook, SpanHook } = await import("@openfeature/open-telemetry-hooks");
  hooks = [new EventHook(), new SpanEventHook(), new SpanHook()];

  const client = createClient({ url: product.url });
  await client.createFeature({ key: "new-checkout", name: "New checkout", rollout_percentage: 100 });
  await client.createFeature({ key: "half", name: "Half", rollout_percentage: 50 });
  await client.createFeature({ key: "stopped", name: "Stopped", enabled: false });
  await client.updateFeature("stopped", { key: "stopped", name: "Stopped for good" });
});
afterEach(() => OpenFeature.clearProviders());
afterAll(async () => {
  await telemetry.shutdown();
  await product.stop();
  await collector.close();
  await database.close();
});

const ada = { targetingKey: "ada" };
const EVENT = "feature_flag.evaluation";

/** Flag, what is told of it, and what the SDK answers. */
const DECISIONS = [
  ["new-checkout", { variant: "on", value: true, reason: "static", version: "1" }],
  ["half", { variant: expect.stringMatching(/^(on|off)$/), value: expect.any(Boolean), reason: "split", version: "1" }],
  ["stopped", { variant: "off", value: false, reason: "disabled", version: "2" }],
] as const;

describe.each([
  ["our provider", "adaptive-feature-flags", () => createProvider(createClient({ url: product.url }))],
  ["an OFREP provider", "OFREP", () => ofrepServerProvider(product.url)],
] as const)("with %s", (_, provider, make: () => Provider) => {
  /** Evaluates inside a span with this name; answers with what the three hooks told: a record, a span event and a span. */
  async function evaluate(key: string, name: string) {
    await OpenFeature.setProviderAndWait(make());
    const client = OpenFeature.getClient().addHooks(...hooks);
    const details: EvaluationDetails<boolean> = await trace.getTracer("test").startActiveSpan(name, async (span) => {
      const answer = await client.getBooleanDetails(key, false, ada);
      span.end();
      return answer;
    });
    const root = await collector.find((span) => span.name === name);
    const own = await collector.find((span) => span.name === EVENT && span.traceId === root.traceId);
    const record = () =>
      collector.records.find(({ eventName, traceId }) => eventName === EVENT && traceId === root.traceId);
    await waitUntil(() => record() !== undefined);
    const told = root.events.find((event) => event.name === EVENT);
    return { details, told: [record()?.attributes, told?.attributes, own.attributes] };
  }

  test.each(DECISIONS)("%s is told with its variant, reason, user, environment and version", async (key, expected) => {
    const { details, told } = await evaluate(key, `${provider} ${key}`);
    const attributes = {
      "feature_flag.key": key,
      "feature_flag.provider.name": provider,
      "feature_flag.result.variant": expected.variant,
      "feature_flag.result.value": expected.value,
      "feature_flag.result.reason": expected.reason,
      "feature_flag.context.id": "ada",
      "feature_flag.set.id": "production",
      "feature_flag.version": expected.version,
    };
    for (const one of told) expect(one).toEqual(attributes);
    expect(told[0]?.["feature_flag.result.variant"]).toBe(details.variant);
  });

  test("a flag that is not there is told as an error, with its code and why", async () => {
    const { told } = await evaluate("gone", `${provider} gone`);
    for (const one of told)
      expect(one).toMatchObject({
        "feature_flag.key": "gone",
        "feature_flag.result.value": false,
        "feature_flag.result.reason": "error",
        "feature_flag.context.id": "ada",
        "error.type": "flag_not_found",
        "error.message": expect.stringContaining('no feature "gone"'),
      });
  });
});
