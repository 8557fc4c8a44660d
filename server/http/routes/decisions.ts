import { createRoute, z } from "@hono/zod-openapi";
import { FALLBACK_CAUSES } from "../../../core/decision/decision.ts";
import type { Model } from "../../../core/model/model.ts";
import type { Services } from "../../services.ts";
import { check } from "../body.ts";
import { HttpError } from "../errors.ts";
import { EVENT_STREAM, eventStream, LastEventId } from "../event-stream.ts";
import { decisionStream, storedDecision } from "../examples/decision.ts";
import { type App, json, on } from "../route.ts";

const Name = z.string().min(1).max(200);
const Fallback = z.object({ from: z.string(), cause: z.enum(FALLBACK_CAUSES) }).nullable();

const Stored = z
  .object({
    decision_id: z.string(),
    at: z.string(),
    feature_key: z.string(),
    feature_version: z.int(),
    user_id: z.string(),
    variant: z.string(),
    enabled: z.boolean(),
    decision_source: z.string(),
    reason: z.string(),
    step: z.string().nullable(),
    score: z.number().nullable(),
    threshold: z.number().nullable(),
    confidence: z.number().nullable(),
    probability: z.number().nullable(),
    model_version: z.string().nullable(),
    fallback: Fallback,
    attributes: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .nullable()
      .describe("Scalars the user was asked with. null: the feature does not learn, so none were kept"),
  })
  .meta({ id: "StoredDecision" });
const StoredList = z.object({ decisions: z.array(Stored) }).meta({ id: "StoredDecisions" });
export type StoredDecisionsAnswer = z.infer<typeof StoredList>;

const Summary = z
  .object({
    seconds: z.int().describe("How far `served` goes back, at most: it begins anew with the process"),
    features: z.array(
      z.object({
        feature_key: z.string(),
        served: z.record(z.string(), z.int()).describe("Decisions of this server by variant"),
        last_served_at: z.string().nullable().describe("Of any server; null: never"),
        model: z
          .object({ version: z.string(), health: z.enum(["fresh", "warning", "stopped"]), global: z.boolean() })
          .nullable()
          .describe("The live model of the feature, else the environment's, which `global` says; null: neither"),
      }),
    ),
  })
  .meta({ id: "DecisionSummary" });
export type DecisionSummary = z.infer<typeof Summary>;

const summaryExample = {
  seconds: 3600,
  features: [
    {
      feature_key: "new-checkout",
      served: { on: 310, off: 690 },
      last_served_at: "2026-11-22T19:27:56.010Z",
      model: { version: "new-checkout@1", health: "fresh", global: false },
    },
  ],
};

const tags = ["decisions"];
export const list = createRoute({
  method: "get",
  path: "/decisions",
  operationId: "listDecisions",
  tags,
  summary: "Stored decisions, newest first",
  description:
    "Stored is the first decision of a user for the same variant, feature version and reason on one UTC day; it appears within a second.",
  request: {
    query: z.object({
      decision_id: Name.optional().describe(
        "The one decision, as Live, traces and answers name it. Alone it is looked for in the last 31 days; with user_id among all, and at once",
      ),
      feature_key: Name.optional(),
      user_id: Name.optional(),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
  },
  responses: { 200: json(StoredList, "Newest first", { decisions: [storedDecision] }) },
});
export const summary = createRoute({
  method: "get",
  path: "/decisions/summary",
  operationId: "summarizeDecisions",
  tags,
  summary: "What was served of each feature in the last hour, when last, and the model it would ask",
  responses: { 200: json(Summary, "By creation of the features", summaryExample) },
});
const stream = createRoute({
  method: "get",
  path: "/decisions/stream",
  operationId: "streamDecisions",
  tags,
  summary: "Decisions of this server as they are made, and events as they are stored",
  description:
    "Server-sent events. `decision`: a decision without trace or attributes. `event`, if asked for: id, user_id, feature_key, event_type, timestamp. `status`, every second: how many matched the filter, how many of them were `events` and `fallbacks`, were sent, were left out because there were more than 80 a second (`sampled`) or because the client read too slowly (`dropped`). With Last-Event-ID what was missed of the last 1,000 is told first. At most 50 streams are open at once.",
  request: {
    query: z.object({
      feature_key: Name.optional(),
      user_id: Name.optional(),
      variant: Name.optional(),
      decision_source: Name.optional(),
      fallbacks: z.enum(["true", "false"]).optional().describe("true: only decisions that fell back"),
      events: z
        .enum(["true", "only"])
        .optional()
        .describe("true: events too, as this server stores them; only: no decisions. Default: decisions only"),
    }),
    headers: LastEventId,
  },
  responses: {
    200: eventStream(decisionStream),
  },
});

export function decisionRoutes(
  app: App,
  services: Pick<Services, "features" | "live" | "models" | "storedDecisions" | "usage">,
): void {
  const { features, live, models, storedDecisions, usage } = services;

  on(app, list, async (c) => {
    const { limit, ...filter } = check(list.request.query, c.req.query());
    const decisions = await storedDecisions.list(c.get("environment"), filter, limit);
    return c.json({ decisions: [...decisions] } satisfies z.input<typeof StoredList>);
  });

  on(app, summary, async (c) => {
    const environment = c.get("environment");
    const keys = (await features.list(environment)).map(({ key }) => key);
    const [last, running] = await Promise.all([
      storedDecisions.lastServed(environment, keys),
      models.allLive(environment),
    ]);
    const ofScope = new Map(running.map((model) => [model.feature_key, model]));
    const served = usage.lastHour(environment);
    return c.json({
      seconds: 3600,
      features: keys.map((feature_key) => ({
        feature_key,
        served: served.get(feature_key) ?? {},
        last_served_at: last.get(feature_key) ?? null,
        model: modelAnswer(ofScope.get(feature_key) ?? ofScope.get(null)),
      })),
    } satisfies z.input<typeof Summary>);
  });

  on(app, stream, (c) => {
    const { fallbacks, ...filter } = check(stream.request.query, c.req.query());
    const about = { ...filter, environment: c.get("environment"), fallbacks: fallbacks === "true" };
    const events = live.open(about, c.req.header("last-event-id"));
    if (events === undefined)
      throw new HttpError(503, "too_many_streams", "This server has as many open streams as it takes; come again", {
        headers: { "Retry-After": "10" },
      });
    return c.body(events, 200, EVENT_STREAM);
  });
}

function modelAnswer(model: Pick<Model, "version" | "health" | "feature_key"> | undefined) {
  if (model === undefined) return null;
  const { version, health, feature_key } = model;
  return { version, health, global: feature_key === null };
}
