// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, describeStrategy } from "adaptive-feature-flags/plugin-kit";
import { strategy } from "./strategy.js";

const config = { plans: ["pro", "team"], variant: "on" };

// Every promise of the contract: purity, odd users, declared reads, a config that can be stored, ...
describeStrategy(strategy, { configs: [config], refused: [{}, { ...config, plans: [] }, { ...config, plan: "pro" }] });

test("my-strategy: serves the plans it names", async () => {
  assert.deepEqual(await ask(strategy, config, { plan: "pro" }), { variant: "on" });
  assert.deepEqual(await ask(strategy, config, { plan: "free" }), { abstain: "no_match" });
});
