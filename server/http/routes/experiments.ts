import { createRoute, z } from "@hono/zod-openapi";
import { Percentage } from "../../../core/bucketing/split.ts";
import { analyse } from "../../../core/experiment/analysis.ts";
import { MAX_ARMS, planArms } from "../../../core/experiment/arms.ts";
import type { Experiment } from "../../../core/experiment/experiment.ts";
import { ExperimentResult } from "../../../core/experiment/result.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { experiment as example, experimentResult, newExperiment } from "../examples/experiment.ts";
import { type App, failures, header, json, on, type RouteContext } from "../route.ts";

const Variant = z.string().min(1).max(100);
const Weight = Percentage.refine((weight) => weight > 0, { message: "An arm needs a weight above 0 percent" });

const NewExperiment = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    feature_key: z.string().trim().min(1).max(100),
    primary_metric_event: z.string().trim().min(1).max(100).describe("The event type that counts as success"),
    min_samples_per_variant: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .default(100)
      .describe("Exposed users each arm must have before anything is decided"),
    min_lift: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe("Smallest difference in rates worth promoting; absolute: 0.02 is two percentage points"),
    alpha: z
      .number()
      .min(0.0001)
      .max(0.5)
      .default(0.05)
      .describe("Share of experiments without any effect that may end in a false alarm, for one look"),
    enabled: z.boolean().default(true).describe("Start at once; else by POST /experiments/{id}/start"),
    arms: z
      .array(z.strictObject({ variant: Variant, weight: Weight.describe("Percent; all sum to 100") }))
      .min(2)
      .max(MAX_ARMS)
      .optional()
      .describe(
        "Named A, B, C ... in order; A is the control. Default: the off variant and the other one, half and half",
      ),
  })
  .meta({ id: "NewExperiment" });

export const StoredExperiment = z
  .object({
    id: z.int(),
    environment: z.string(),
    name: z.string(),
    feature_key: z.string(),
    primary_metric_event: z.string(),
    min_samples_per_variant: z.int(),
    min_lift: z.number(),
    alpha: z.number(),
    arms: z.array(z.object({ name: z.string(), variant: z.string(), weight: z.number() })),
    seed: z.string().describe("Of its own split"),
    enabled: z.boolean().describe("It runs: its split decides for the feature"),
    created_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "Experiment" });
export type ExperimentAnswer = z.infer<typeof StoredExperiment>;

const Result = ExperimentResult.meta({ id: "ExperimentResult" });

const tags = ["experiments"];
const params = z.object({ id: z.string().meta({ description: "A whole number", examples: ["1"] }) });

export const create = createRoute({
  method: "post",
  path: "/experiments",
  operationId: "createExperiment",
  tags,
  summary: "Compare variants of a feature; while it runs, its split decides",
  request: { body: { ...json(NewExperiment, "What is compared, and by what", newExperiment), required: true } },
  responses: {
    201: {
      ...json(StoredExperiment, "Created", example),
      headers: { Location: header("Its address", "/experiments/1") },
    },
    ...failures(409),
  },
});
export const list = createRoute({
  method: "get",
  path: "/experiments",
  operationId: "listExperiments",
  tags,
  summary: "All experiments of the environment",
  responses: { 200: json(z.array(StoredExperiment), "By creation", [example]) },
});
export const get = createRoute({
  method: "get",
  path: "/experiments/{id}",
  operationId: "getExperiment",
  tags,
  summary: "One experiment",
  request: { params },
  responses: { 200: json(StoredExperiment, "As stored", example) },
});
export const result = createRoute({
  method: "get",
  path: "/experiments/{id}/result",
  operationId: "getExperimentResult",
  tags,
  summary: "What the exposed users did so far, and what follows",
  description:
    "The intervals hold for one look, when every arm has its samples. Looking often and stopping at the first success finds effects that are not there.",
  request: { params },
  responses: { 200: json(Result, "So far", experimentResult) },
});
export const start = createRoute({
  method: "post",
  path: "/experiments/{id}/start",
  operationId: "startExperiment",
  tags,
  summary: "Start an experiment that was created with enabled: false",
  request: { params },
  responses: { 200: json(StoredExperiment, "It runs", { ...example, enabled: true }), ...failures(409) },
});
export const stop = createRoute({
  method: "post",
  path: "/experiments/{id}/stop",
  operationId: "stopExperiment",
  tags,
  summary: "End an experiment for good; the feature's own steps decide again",
  request: { params },
  responses: { 200: json(StoredExperiment, "It has ended", { ...example, ended_at: "2026-12-06T09:00:00.000Z" }) },
});

export function experimentRoutes(
  app: App,
  services: Pick<Services, "clock" | "experiments" | "features" | "snapshots">,
): void {
  const { clock, experiments, features, snapshots } = services;

  async function find(c: RouteContext): Promise<Experiment> {
    const text = c.req.param("id") ?? "";
    const found = isId(text) ? await experiments.get(c.get("environment"), Number(text)) : undefined;
    if (found === undefined) throw notFound("experiment", text);
    return found;
  }

  async function setEnabled(c: RouteContext, enabled: boolean): Promise<Response> {
    const environment = c.get("environment");
    const { id } = await find(c);
    const changed = await experiments.setEnabled(environment, id, enabled);
    if (changed === undefined) throw notFound("experiment", String(id));
    await snapshots.refresh(environment);
    return c.json(changed);
  }

  on(app, create, async (c) => {
    const environment = c.get("environment");
    const { arms, ...asked } = check(NewExperiment, await readJson(c));
    // A key of digits only would be read as an id.
    const feature = (await features.list(environment)).find(({ key }) => key === asked.feature_key);
    if (feature === undefined) throw notFound("feature", asked.feature_key);
    const experiment = await experiments.create(environment, { ...asked, arms: planArms(feature, arms) });
    await snapshots.refresh(environment);
    return c.json(experiment, 201, { Location: `/experiments/${experiment.id}` });
  });

  on(app, list, async (c) => c.json(await experiments.list(c.get("environment"))));
  on(app, get, async (c) => c.json(await find(c)));
  on(app, result, async (c) => {
    const experiment = await find(c);
    const counts = await experiments.counts(experiment.environment, experiment.id);
    return c.json(analyse(experiment, counts, clock.now()));
  });
  on(app, start, (c) => setEnabled(c, true));
  on(app, stop, (c) => setEnabled(c, false));
}

function isId(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
