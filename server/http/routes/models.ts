import { createRoute, z } from "@hono/zod-openapi";
import { Json } from "../../../core/json.ts";
import type { Model } from "../../../core/model/model.ts";
import type { ModelStore } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { childSpan } from "../../telemetry/job-spans.ts";
import { recordingSpan } from "../../telemetry/tracing.ts";
import { AuthorHeaders, authorOf } from "../author.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { model as example, modelStatus } from "../examples/model.ts";
import { type App, failures, json, on, type RouteContext } from "../route.ts";

const Health = z
  .enum(["fresh", "warning", "stopped"])
  .describe("stopped: its steps fall back with the cause stale_model or drifted_model, as health_detail says");
const Traffic = z
  .number()
  .describe("Share of the model's users it decides for: 1 when live, less while it takes over, else 0");

const ModelAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  feature_key: z.string().nullable().describe("null: the environment's global model"),
  status: z.enum(["candidate", "live", "retired", "failed"]),
  target: z
    .enum(["propensity", "uplift"])
    .describe("uplift: the variant with the best effect is served. propensity: users who reach the threshold are"),
  traffic: Traffic,
  ramped_at: z.string().nullable().describe("Since when it has this traffic"),
  health: Health,
  health_detail: z.string().nullable(),
  health_cause: z
    .enum(["stale_model", "drifted_model"])
    .nullable()
    .describe("stopped: the cause its steps fall back with"),
  checked_at: z.string().nullable().describe("When its health was last looked at"),
  shadow: Json.describe("How a candidate would have done on the live model's decisions"),
  trained_at: z.string(),
  metrics: Json,
  process: Json,
  benchmark: Json.describe("Every learner that was fitted, as in `process`"),
  dataset_profile: Json.describe("As in `process`"),
  threshold: z.number().nullable().describe("The threshold with the best F1 on the validation rows"),
  fallback_policy: z.string().describe("What decides while this model cannot"),
  verdict: z.string().describe("Why it is live, or why only a candidate"),
  seed: z.number(),
  hash: z.string().describe("sha256 of the canonical artifact"),
  job_id: z.string().nullable(),
});

const Status = z
  .object({
    status: z.enum(["ready", "not_trained"]),
    scope: z.enum(["feature", "global"]).nullable().describe("global: the feature has no model of its own"),
    feature_key: z.string().nullable(),
    model_name: z.string().nullable(),
    model_version: z.string().nullable(),
    trained_at: z.string().nullable(),
    metrics: Json,
    verdict: z.string().nullable(),
    health: Health.nullable(),
    health_detail: z.string().nullable(),
    traffic: Traffic.nullable(),
    challenger: z
      .object({ version: z.string(), traffic: Traffic })
      .nullable()
      .describe("A better one that takes over from it, step by step"),
  })
  .meta({ id: "ModelStatus" });

const Summary = ModelAnswer.meta({ id: "Model" });
export type ModelAnswer = z.infer<typeof ModelAnswer>;
const Runs = z.object({ runs: z.array(Summary) }).meta({ id: "ModelRuns" });
const Whole = ModelAnswer.extend({ artifact: Json.describe("All that is needed to score; never code") }).meta({
  id: "ModelWithArtifact",
});
const Reason = z.string().max(500);
const RollbackRequest = z.strictObject({ reason: Reason.optional() }).meta({ id: "RollbackRequest" });
const PromoteRequest = z
  .strictObject({
    force: z.boolean().default(false).describe("Promote it although it was not found better"),
    reason: Reason.optional().describe("Kept in the audit log. Required with force"),
  })
  .refine(({ force, reason }) => !force || (reason ?? "").trim() !== "", {
    message: "is required with force: say why a model that was not found better is to decide",
    path: ["reason"],
  })
  .meta({ id: "PromoteRequest" });

const tags = ["models"];
const params = z.object({ version: z.string().meta({ examples: ["new-checkout@1"] }) });
const feature_key = z.string().min(1).max(100).optional();
export const status = createRoute({
  method: "get",
  path: "/model/status",
  operationId: "getModelStatus",
  tags,
  summary: "The model that decides for a feature, or by default",
  request: { query: z.object({ feature_key }) },
  responses: { 200: json(Status, "`not_trained` before the first", modelStatus) },
});
export const runs = createRoute({
  method: "get",
  path: "/model/runs",
  operationId: "listModels",
  tags,
  summary: "Trained versions, newest first",
  request: { query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(20), feature_key }) },
  responses: { 200: json(Runs, "Newest first", { runs: [example] }) },
});
export const read = createRoute({
  method: "get",
  path: "/models/{version}",
  operationId: "getModel",
  tags,
  summary: "One version with its artifact",
  request: { params },
  responses: { 200: json(Whole, "The model", { ...example, artifact: { learner: "logistic", weights: [0.4, -1.2] } }) },
});
export const promote = createRoute({
  method: "post",
  path: "/models/{version}/promote",
  operationId: "promoteModel",
  tags,
  summary: "Make a candidate live, for all of the model's users",
  description:
    "The live model is retired, and no other candidate goes on taking over from it. 409 `not_better`: the candidate did not pass the gate, and the message says why; `force` with a `reason` promotes it all the same. Who did it, why, and whether it was forced is in the audit log.",
  request: {
    params,
    headers: AuthorHeaders,
    body: json(PromoteRequest, "Why, and whether against the verdict", {
      force: true,
      reason: "A campaign starts today",
    }),
  },
  responses: { 200: json(Summary, "The model, live", example), ...failures(409) },
});
export const rollback = createRoute({
  method: "post",
  path: "/models/{version}/rollback",
  operationId: "rollbackModel",
  tags,
  summary: "Make this version live again",
  request: { params, headers: AuthorHeaders, body: json(RollbackRequest, "Why", { reason: "It was better" }) },
  responses: { 200: json(Summary, "The model, live", example), ...failures(409) },
});

export function modelRoutes(app: App, services: Pick<Services, "models" | "snapshots">): void {
  const { models, snapshots } = services;

  on(app, status, async (c) => {
    const environment = c.get("environment");
    const { feature_key } = check(status.request.query, c.req.query());
    const own = feature_key === undefined ? undefined : await models.live(environment, feature_key);
    const model = own ?? (await models.live(environment, null));
    const challenger = await models.challenger(environment, model?.feature_key ?? null);
    return c.json({
      status: model === undefined ? "not_trained" : "ready",
      scope: model === undefined ? null : own === undefined ? "global" : "feature",
      feature_key: feature_key ?? null,
      model_name: model?.learner ?? null,
      model_version: model?.version ?? null,
      trained_at: model?.trained_at ?? null,
      metrics: model?.metrics ?? null,
      verdict: model?.verdict ?? null,
      health: model?.health ?? null,
      health_detail: model?.health_detail ?? null,
      traffic: model?.traffic ?? null,
      challenger: challenger === undefined ? null : { version: challenger.version, traffic: challenger.traffic },
    });
  });

  on(app, runs, async (c) => {
    const options = check(runs.request.query, c.req.query());
    return c.json({ runs: (await models.runs(c.get("environment"), options)).map(summary) });
  });

  on(app, read, async (c) => {
    const version = c.req.param("version") ?? "";
    const model = await models.get(c.get("environment"), version);
    if (model === undefined) throw notFound("model", version);
    const { artifact, ...rest } = model;
    return c.json({ ...summary(rest), artifact });
  });

  on(app, promote, async (c) => {
    const { force, reason } = check(PromoteRequest, await readJson(c, { empty: {} }));
    return wentLive(c, reason, (environment, version, author) =>
      models.promote(environment, version, author, { force }),
    );
  });

  on(app, rollback, async (c) => {
    const { reason } = check(RollbackRequest, await readJson(c, { empty: {} }));
    return wentLive(c, reason, models.rollback);
  });

  async function wentLive(c: RouteContext, reason: string | undefined, change: ModelStore["rollback"]) {
    const environment = c.get("environment");
    const version = c.req.param("version") ?? "";
    const author = authorOf(c);
    const about = { "feature_flag.set.id": environment, "adaptive.model.version": version };
    const model = await childSpan("promote-model", about, async () => {
      const live = await change(environment, version, { ...author, reason: reason ?? author.reason });
      if (live?.job_id) recordingSpan()?.setAttribute("adaptive.job.id", live.job_id); // which train-model has too
      return live;
    });
    if (model === undefined) throw notFound("model", version);
    await snapshots.refresh(environment);
    const { artifact: _, ...rest } = model;
    return c.json(summary(rest));
  }
}

function summary(model: Omit<Model, "artifact">): z.input<typeof Summary> {
  const { version, learner, environment: _, ...shown } = model;
  const { benchmark = null, dataset_profile = null } = fields(model.process);
  const { best_threshold_by_f1 } = fields(model.metrics);
  return {
    model_name: learner,
    model_version: version,
    ...shown,
    benchmark,
    dataset_profile,
    threshold: typeof best_threshold_by_f1 === "number" ? best_threshold_by_f1 : null,
    fallback_policy: "the feature's next step, else its fallback variant",
  };
}

function fields(value: Json): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, Json>) : {};
}
