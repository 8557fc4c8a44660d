import { createRoute, z } from "@hono/zod-openapi";
import { Json } from "../../../core/json.ts";
import { Conflict } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { enqueueSpan } from "../../telemetry/job-spans.ts";
import { check } from "../body.ts";
import { notFound } from "../errors.ts";
import { modelCheck } from "../examples/model.ts";
import { type App, failures, json, on } from "../route.ts";

const Check = z
  .object({
    version: z.string(),
    at: z.string(),
    health: z
      .enum(["fresh", "warning", "stopped"])
      .describe(
        "stopped: the model's steps fall back with stale_model or drifted_model until a later check finds nothing",
      ),
    detail: z.string().nullable().describe("What was found, in words; null: nothing"),
    report: Json.describe(
      "What was measured: PSI of each input and of the score, calibration, propensities, age, lift over the holdout or the ramp",
    ),
  })
  .meta({ id: "ModelCheck" });
export type ModelCheckAnswer = z.infer<typeof Check>;
const Checks = z.object({ checks: z.array(Check) }).meta({ id: "ModelChecks" });
const Asked = z.object({ status: z.literal("queued"), version: z.string() }).meta({ id: "ModelCheckAsked" });

const tags = ["models"];
const path = "/models/{version}/checks";
const params = z.object({ version: z.string().meta({ examples: ["new-checkout@1"] }) });
export const list = createRoute({
  method: "get",
  path,
  operationId: "listModelChecks",
  tags,
  summary: "What the checks of a model found, newest first",
  description:
    "Every model that decides is checked once an hour: whether its inputs and scores are still distributed as in training, whether its probabilities come true, whether what was served fits the stored propensities, and whether its users do worse than those held out.",
  request: { params, query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(20) }) },
  responses: { 200: json(Checks, "Newest first", { checks: [modelCheck] }) },
});
export const ask = createRoute({
  method: "post",
  path,
  operationId: "checkModel",
  tags,
  summary: "Check a model that decides, as soon as a worker is free",
  request: { params },
  responses: { 202: json(Asked, "It will be", { status: "queued", version: "new-checkout@1" }), ...failures(409) },
});

export function modelCheckRoutes(app: App, { models, checks }: Pick<Services, "models" | "checks">): void {
  on(app, list, async (c) => {
    const environment = c.get("environment");
    const version = c.req.param("version") ?? "";
    const { limit } = check(list.request.query, c.req.query());
    if ((await models.get(environment, version)) === undefined) throw notFound("model", version);
    return c.json({ checks: [...(await checks.list(environment, version, limit))] } satisfies z.input<typeof Checks>);
  });

  on(app, ask, async (c) => {
    const environment = c.get("environment");
    const version = c.req.param("version") ?? "";
    const model = await models.get(environment, version);
    if (model === undefined) throw notFound("model", version);
    if (model.traffic === 0)
      throw new Conflict(
        `Model ${version} is ${model.status} and decides for nobody: only models that decide are checked`,
      );
    const about = { "feature_flag.set.id": environment, "adaptive.model.version": version };
    await enqueueSpan("check-model", about, (traceparent) => checks.ask(environment, version, traceparent));
    return c.json({ status: "queued", version } satisfies z.input<typeof Asked>, 202);
  });
}
