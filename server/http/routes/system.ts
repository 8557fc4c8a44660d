import process from "node:process";
import { createRoute, z } from "@hono/zod-openapi";
import { closedBreaker, isOpen } from "../../../core/engine/breaker.ts";
import type { CompiledStep } from "../../../core/engine/plan.ts";
import type { CompiledFeature } from "../../../core/engine/snapshot.ts";
import packageJson from "../../../package.json" with { type: "json" };
import type { Services } from "../../services.ts";
import { isDatabaseUnreachable } from "../errors.ts";
import { type App, json, on } from "../route.ts";

const System = z
  .object({
    version: z.string(),
    runtime: z.string().describe("Such as node 24.21.0"),
    uptime_seconds: z.number().describe("Of this process"),
    environment: z.string(),
    revision: z.int().describe("Of the configuration that this process serves"),
    stale: z
      .boolean()
      .describe("True: the database cannot be reached, and the last configuration goes on being served"),
    database: z
      .object({ version: z.string(), size_bytes: z.number(), migration: z.string().nullable() })
      .nullable()
      .describe("null: it cannot be reached"),
    jobs: z
      .object({ waiting: z.int(), running: z.int(), failed: z.int() })
      .nullable()
      .describe(
        "Background jobs of all environments; waiting ones need a worker. null: the database cannot be reached",
      ),
    workers: z
      .int()
      .nullable()
      .describe("Worker processes that listen for jobs now. null: the database cannot be reached"),
    exposures: z.object({ waiting: z.int(), dropped: z.int() }).describe("Decisions of this process not yet stored"),
    auth: z.boolean(),
    traces_exported: z.boolean(),
    steps: z
      .array(
        z.object({
          feature_key: z.string(),
          step: z.string(),
          strategy: z.string(),
          state: z.enum(["ok", "failing", "resting", "broken"]),
          failures: z.int().describe("In a row"),
          detail: z.string().nullable().describe("broken: why it can never be asked"),
        }),
      )
      .describe("Every step as this process sees it. resting: its breaker is open, its next step decides"),
  })
  .meta({ id: "System" });
export type SystemAnswer = z.infer<typeof System>;

const example = {
  version: "0.1.0",
  runtime: "node 24.21.0",
  uptime_seconds: 86400.5,
  environment: "production",
  revision: 12,
  stale: false,
  database: { version: "PostgreSQL 18.4", size_bytes: 11261631, migration: "0004_decisions_by_user" },
  jobs: { waiting: 0, running: 1, failed: 0 },
  workers: 1,
  exposures: { waiting: 0, dropped: 0 },
  auth: true,
  traces_exported: false,
  steps: [
    {
      feature_key: "new-checkout",
      step: "rollout",
      strategy: "hash-bucketing",
      state: "ok",
      failures: 0,
      detail: null,
    },
  ],
};

export const read = createRoute({
  method: "get",
  path: "/system",
  operationId: "getSystem",
  tags: ["operations"],
  summary: "Versions, database, job queue, and the health of every step",
  responses: { 200: json(System, "As this process sees it", example) },
});

export function systemRoutes(
  app: App,
  services: Pick<Services, "config" | "observer" | "snapshots" | "systemFacts">,
): void {
  const { config, observer, snapshots, systemFacts } = services;
  on(app, read, async (c) => {
    const environment = c.get("environment");
    const snapshot = snapshots.get(environment);
    // What tells how things stand must answer when they stand badly.
    const facts = snapshots.stale ? undefined : await snapshots.unlessLost(systemFacts()).catch(unlessAway);
    return c.json({
      version: packageJson.version,
      runtime: "deno" in process.versions ? `deno ${process.versions.deno}` : `node ${process.versions.node}`,
      uptime_seconds: process.uptime(),
      environment,
      revision: snapshot?.revision ?? 0,
      stale: snapshots.stale || facts === undefined,
      database:
        facts === undefined
          ? null
          : { version: facts.database, size_bytes: facts.size_bytes, migration: facts.migration },
      jobs: facts?.jobs ?? null,
      workers: facts?.workers ?? null,
      exposures: { ...observer.backlog },
      auth: config.AUTH_ENABLED,
      traces_exported: process.env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
      steps: [...(snapshot?.features.values() ?? [])].flatMap((feature) =>
        stepsOf(feature).map(({ id, strategy, breaker, broken }) => ({
          feature_key: feature.key,
          step: id,
          strategy,
          state: broken !== null ? "broken" : isOpen(breaker) ? "resting" : breaker.failures > 0 ? "failing" : "ok",
          failures: breaker.failures,
          detail: broken?.detail ?? null,
        })),
      ),
    } satisfies z.input<typeof System>);
  });
}

/** The one step of a feature without a plan has never been asked. */
function stepsOf({
  plan,
  definition,
}: CompiledFeature): readonly Pick<CompiledStep, "id" | "strategy" | "breaker" | "broken">[] {
  return plan?.steps ?? definition.steps.map((step) => ({ ...step, breaker: closedBreaker(), broken: null }));
}

function unlessAway(error: unknown): undefined {
  if (!isDatabaseUnreachable(error)) throw error;
}
