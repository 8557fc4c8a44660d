import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { type App, json, on } from "../route.ts";

const Alive = z.object({ status: z.literal("ok") }).meta({ id: "Alive" });

const Readiness = z
  .object({
    status: z.enum(["ok", "degraded", "starting"]).describe("degraded: serving from the last snapshot"),
    database: z.enum(["ok", "unreachable"]),
    snapshots: z.object({ ready: z.boolean(), stale: z.boolean() }),
    exposures: z.object({ waiting: z.int(), dropped: z.int() }),
  })
  .meta({ id: "Readiness" });

const tags = ["operations"];
const health = createRoute({
  method: "get",
  path: "/health",
  tags,
  summary: "The process answers",
  responses: { 200: json(Alive, "It does") },
});
const live = createRoute({ ...health, path: "/health/live" });
const ready = createRoute({
  method: "get",
  path: "/health/ready",
  tags,
  summary: "Whether requests should be sent here, with details",
  responses: { 200: json(Readiness, "ok or degraded: it serves"), 503: json(Readiness, "Nothing to serve from yet") },
});

export function healthRoutes(app: App, { snapshots, observer }: Pick<Services, "snapshots" | "observer">): void {
  on(app, health, (c) => c.json({ status: "ok" }));
  on(app, live, (c) => c.json({ status: "ok" }));
  on(app, ready, (c) => {
    const status = snapshots.ready ? (snapshots.stale ? "degraded" : "ok") : "starting";
    const details = {
      status,
      database: snapshots.stale || !snapshots.ready ? "unreachable" : "ok",
      snapshots: { ready: snapshots.ready, stale: snapshots.stale },
      exposures: observer.backlog,
    };
    return c.json(details, status === "starting" ? 503 : 200);
  });
}
