import { expect, it } from "vitest";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import { createObserver } from "../../../server/observer.ts";
import { createMetrics } from "../../../server/telemetry/metrics.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../../support/make-configuration.ts";

const FEATURES = 10_000;
const NOW = Date.parse("2026-11-20T12:00:00Z");

it("10,000 features, as many unknown keys and users make a bounded number of series, and every decision is counted", async () => {
  const metrics = createMetrics();
  const observer = createObserver({ exposures: { append: async () => 0 }, metrics });
  const features = Array.from({ length: FEATURES }, (_, i) =>
    makeFeature({ key: `feature-${i}`, rollout_percentage: 50, ml_enabled: true }),
  );
  const snapshot = compile(makeConfiguration({ features }), STRATEGIES, {});
  for (let i = 0; i < FEATURES; i += 1)
    for (const key of [`feature-${i}`, `made-up-${i}`]) {
      const user = { user_id: `person-${i}` };
      const decision = evaluate(snapshot, key, user, { now: NOW, stale: false });
      if (decision instanceof Promise) throw new Error("These features decide at once");
      observer.decided(decision, { environment: "production", user, profile: undefined, snapshot, at: NOW });
    }
  metrics.count("events_stored_total");
  await observer.close();

  const text = await metrics.prometheus();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const evaluations = lines.filter((line) => line.startsWith("feature_flag_evaluations_total"));
  expect(evaluations.length).toBeGreaterThan(1_000);
  expect(lines.length).toBeLessThan(10_100);
  expect(sum(evaluations)).toBe(2 * FEATURES);
  expect(sum(lines.filter((line) => line.startsWith("feature_flag_fallbacks_total")))).toBe(FEATURES);
  expect(sum(evaluations.filter((line) => line.includes('feature="unknown"')))).toBe(FEATURES);
  expect(text).not.toMatch(/person-|made-up-/);
  // One name's many series leave the others alone.
  expect(lines).toContain("events_stored_total 1");
});

function sum(lines: readonly string[]): number {
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
}
