import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { type App, json, on } from "../route.ts";

/** Of the steps that cannot be asked. */
const MOST = 100;

const Alive = z.object({ status: z.literal("ok") }).meta({ id: "Alive" });

const Readiness = z
  .object({
    status: z
      .enum(["ok", "degraded", "starting"])
      .describe("degraded: serving from the last snapshot, or features fall back because a plugin is gone"),
    database: z.enum(["ok", "unreachable"]),
    snapshots: z.object({ ready: z.boolean(), stale: z.boolean() }),
    exposures: z.object({ waiting: z.int(), dropped: z.int() }),
    features: z
      .array(
        z.object({
          environment: z.string(),
          feature_key: z.string(),
          step: z.string(),
          strategy: z.string(),
          detail: z.string(),
        }),
      )
      .describe(`Steps of enabled features that cannot be asked as they were written; the first ${MOST}`),
  })
  .meta({ id: "Readiness" });

const readiness = {
  status: "ok",
  database: "ok",
  snapshots: { ready: true, stale: false },
  exposures: { waiting: 0, dropped: 0 },
  features: [],
};

const tags = ["operations"];
const health = createRoute({
  method: "get",
  path: "/health",
  operationId: "getHealth",
  tags,
  summary: "The process answers",
  responses: { 200: json(Alive, "It does", { status: "ok" }) },
  security: [],
});
const live = createRoute({ ...health, path: "/health/live", operationId: "getLiveness" });
export const ready = createRoute({
  method: "get",
  path: "/health/ready",
  operationId: "getReadiness",
  tags,
  summary: "Whether requests should be sent here, with details",
  responses: {
    200: json(Readiness, "ok or degraded: it serves", readiness),
    503: json(Readiness, "Nothing to serve from yet", {
      ...readiness,
      ...{ status: "starting", database: "unreachable", snapshots: { ready: false, stale: false } },
    }),
  },
  security: [],
});

export function healthRoutes(app: App, { snapshots, observer }: Pick<Services, "snapshots" | "observer">): void {
  on(app, health, (c) => c.json({ status: "ok" }));
  on(app, live, (c) => c.json({ status: "ok" }));
  on(app, ready, (c) => {
    const { broken } = snapshots;
    const degraded = snapshots.stale || broken.length > 0;
    const status = snapshots.ready ? (degraded ? "degraded" : "ok") : "starting";
    const details = {
      status,
      database: snapshots.stale || !snapshots.ready ? "unreachable" : "ok",
      snapshots: { ready: snapshots.ready, stale: snapshots.stale },
      exposures: observer.backlog,
      features: broken.slice(0, MOST),
    };
    return c.json(details, status === "starting" ? 503 : 200);
  });
}
