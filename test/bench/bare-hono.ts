/** What POST /evaluate is held against: the least a Hono route on node-server can do with the same JSON. */
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

/** As large as a real answer. */
const ANSWER = {
  feature_key: "checkout",
  user_id: "user-00000042-4f1c-9a27-b3d6",
  enabled: true,
  decision_source: "rollout",
  score: null,
  threshold: null,
  threshold_mode: null,
  experiment: null,
  model_version: null,
  variant: "on",
  value: true,
  reason: "SPLIT",
  step: "rollout",
  confidence: null,
  probability: 0.25,
  fallback: null,
  decision_id: "0123456789abcdef-1a2b",
  feature_version: 1,
};

const app = new Hono();
app.post("/evaluate", async (c) => {
  await c.req.json();
  return c.json(ANSWER);
});
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
