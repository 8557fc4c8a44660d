import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { type App, on } from "../route.ts";

const Metrics = z
  .object({
    counters: z.record(z.string(), z.number()),
    gauges: z.record(z.string(), z.number()),
    timings_ms: z.record(
      z.string(),
      z.object({
        count: z.number(),
        mean: z.number(),
        p50: z.number(),
        p95: z.number(),
        p99: z.number(),
        max: z.number(),
      }),
    ),
  })
  .meta({ id: "Metrics" });

const example = {
  counters: { events_stored_total: 2522 },
  gauges: { exposures_waiting: 0 },
  timings_ms: { event_loop_lag: { count: 77, mean: 0.9, p50: 0.7, p95: 2.1, p99: 4.8, max: 5.2 } },
};

export const metrics = createRoute({
  method: "get",
  path: "/metrics",
  operationId: "getMetrics",
  tags: ["operations"],
  summary: "Counters, gauges and timings: Prometheus text, or JSON when Accept asks for it",
  responses: {
    200: {
      description: "Since the process started",
      content: {
        "text/plain": { schema: z.string(), example: "events_stored_total 2522\n" },
        "application/json": { schema: Metrics, example },
      },
    },
  },
});

export function metricsRoutes(app: App, services: Pick<Services, "metrics">): void {
  on(app, metrics, async (c) => {
    if (c.req.header("accept")?.includes("application/json")) return c.json(services.metrics.snapshot());
    return c.body(await services.metrics.prometheus(), 200, {
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });
}
