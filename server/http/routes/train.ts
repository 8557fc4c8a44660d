import { createRoute, z } from "@hono/zod-openapi";
import { Json } from "../../../core/json.ts";
import type { TrainingJob, TrainingRequest } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { enqueueSpan } from "../../telemetry/job-spans.ts";
import { AuthorHeaders, authorOf } from "../author.ts";
import { check, readJson } from "../body.ts";
import { HttpError, notFound } from "../errors.ts";
import { trained, trainingJob, trainRequest } from "../examples/training.ts";
import { type App, failures, header, json, on, type RouteContext } from "../route.ts";

export interface TrainPatience {
  /** Milliseconds POST /train waits for a worker to begin. Default 30,000. */
  readonly startTimeout?: number;
  /** Milliseconds it waits, from then, for the training to end. Default 600,000. */
  readonly endTimeout?: number;
}

const TrainRequest = z
  .strictObject({
    feature_key: z.string().min(1).max(100).nullish().describe("Default: the environment's global model"),
    learner: z
      .enum(["auto", "logistic", "trees", "svm", "ridge"])
      .default("auto")
      .describe("auto: fits logistic, trees and svm and keeps the best; a feature with a bandit takes ridge"),
    target: z
      .enum(["auto", "propensity", "uplift"])
      .default("auto")
      .describe("uplift: what the variants cause; propensity: who converts. auto: as the feature's steps decide"),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(1),
    window_seconds: z
      .number()
      .positive()
      .max(366 * 86_400)
      .nullish()
      .describe("Attribution window. Default: the feature's objective, else chosen from the data"),
    positive_event_types: z
      .array(z.string().min(1).max(100))
      .min(1)
      .max(20)
      .nullish()
      .describe("Default: the feature's objective, else POSITIVE_EVENT_TYPES"),
    cut: z.iso
      .datetime({ offset: true })
      .nullish()
      .describe("One decision moment for every user instead of one per view"),
    reason: z
      .string()
      .max(500)
      .optional()
      .describe("Why; in the audit log when the model goes live. Default: X-Reason"),
  })
  .meta({ id: "TrainRequest" });

const Trained = z
  .looseObject({
    status: z.literal("ready"),
    model_name: z.string(),
    model_version: z.string(),
    trained_at: z.string(),
    artifact_path: z.string(),
    metrics: z.looseObject({ accuracy: z.number().nullable(), roc_auc: z.number().nullable() }),
    process: z.looseObject({ total_events: z.number(), duration_ms: z.number() }),
  })
  .meta({ id: "Trained" });

const Job = z
  .object({
    job_id: z.string(),
    status: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
    feature_key: z.string().nullable(),
    reason: z
      .enum(["request", "schedule", "volume", "drift"])
      .describe("Who wanted it: somebody, or the objective's `retrain`"),
    progress: z.number().describe("0 to 1"),
    stage: z.string().describe("What is being done, in words"),
    submitted_at: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    attempts: z.int().describe("How often a worker began it"),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    result: Json.describe("What POST /train answers; null until it succeeded"),
  })
  .meta({ id: "TrainingJob" });
export type TrainingJobAnswer = z.infer<typeof Job>;

const Jobs = z.object({ jobs: z.array(Job) }).meta({ id: "TrainingJobs" });

const Queued = z
  .object({
    job_id: z.string(),
    status: z.enum(["queued", "running"]),
    submitted_at: z.string(),
    shared: z.boolean().describe("True when an open job of the same feature was joined instead"),
  })
  .meta({ id: "QueuedTraining" });

const { job_id, submitted_at } = trainingJob;
const queued = { job_id, status: "queued", submitted_at, shared: false };
const cancelled = { ...trainingJob, status: "cancelled", stage: "cancelled", progress: 0, result: null };

const tags = ["training"];
const body = json(TrainRequest, "All fields may be left out", trainRequest);
const params = z.object({ job_id: z.string().meta({ examples: [trainingJob.job_id] }) });
export const train = createRoute({
  method: "post",
  path: "/train",
  operationId: "train",
  tags,
  summary: "Train a model and wait for it",
  description:
    "422 when the data does not allow a model yet; the status of the present model stays as it is. While a training of the feature is queued or running, its answer is awaited instead: of what was asked only the first counts.",
  request: { body, headers: AuthorHeaders },
  responses: { 200: json(Trained, "The model", trained), ...failures(409, 504) },
});
export const trainAsync = createRoute({
  method: "post",
  path: "/train/async",
  operationId: "queueTraining",
  tags,
  summary: "Queue a training job",
  request: { body, headers: AuthorHeaders },
  responses: {
    202: {
      ...json(Queued, "Queued", queued),
      headers: { Location: header("Where to see how far it is", `/train/jobs/${queued.job_id}`) },
    },
  },
});
export const read = createRoute({
  method: "get",
  path: "/train/jobs/{job_id}",
  operationId: "getTrainingJob",
  tags,
  summary: "How far a training job is",
  request: { params },
  responses: { 200: json(Job, "The job", trainingJob) },
});
export const list = createRoute({
  method: "get",
  path: "/train/jobs",
  operationId: "listTrainingJobs",
  tags,
  summary: "Training jobs, newest first",
  request: {
    query: z.object({
      feature_key: z.string().min(1).max(100).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(20),
    }),
  },
  responses: { 200: json(Jobs, "Newest first", { jobs: [trainingJob] }) },
});
export const cancel = createRoute({
  method: "delete",
  path: "/train/jobs/{job_id}",
  operationId: "cancelTrainingJob",
  tags,
  summary: "Cancel a training job; one that has ended stays as it is",
  request: { params },
  responses: { 200: json(Job, "The job", cancelled) },
});

export function trainRoutes(
  app: App,
  services: Pick<Services, "jobs" | "features" | "snapshots" | "clock">,
  { startTimeout = 30_000, endTimeout = 600_000 }: TrainPatience = {},
): void {
  const { jobs, features, snapshots, clock } = services;

  async function enqueue(c: RouteContext) {
    const environment = c.get("environment");
    const asked = check(TrainRequest, await readJson(c, { empty: {} }));
    const author = authorOf(c);
    const request: TrainingRequest = {
      feature_key: asked.feature_key ?? null,
      learner: asked.learner,
      target: asked.target,
      seed: asked.seed,
      window_seconds: asked.window_seconds ?? null,
      positive_event_types: asked.positive_event_types ?? null,
      cut: asked.cut ?? null,
      author: { ...author, reason: asked.reason ?? author.reason },
    };
    if (request.feature_key !== null && (await features.get(environment, request.feature_key)) === undefined)
      throw notFound("feature", request.feature_key);
    const about = { "feature_flag.set.id": environment, "feature_flag.key": request.feature_key ?? "" };
    return enqueueSpan("train-model", about, (traceparent) => jobs.enqueue(environment, request, traceparent));
  }

  /** The client may go away: the job does not notice. */
  async function finish(environment: string, queued: TrainingJob): Promise<TrainingJob> {
    const { job_id } = queued;
    const begun = (await jobs.wait(environment, job_id, startTimeout)) ?? queued;
    if (begun.status === "queued")
      throw new HttpError(
        503,
        "no_worker",
        `No worker took the training job ${job_id} within ${startTimeout / 1000} s. Start one with \`npm run work\`; the job stays queued, and GET /train/jobs/${job_id} shows it`,
        { headers: { "Retry-After": "30" } },
      );
    if (begun.status !== "running") return begun;
    return (await jobs.wait(environment, job_id, endTimeout)) ?? begun;
  }

  /** Who is told that a job has just succeeded may ask for decisions at once: the new model must be served by then. */
  async function seen(environment: string, job: TrainingJob): Promise<TrainingJob> {
    const recent = job.finished_at !== null && clock.now() - Date.parse(job.finished_at) < JUST_ENDED;
    if (job.status === "succeeded" && recent) await snapshots.refresh(environment);
    return job;
  }

  on(app, train, async (c) => {
    const environment = c.get("environment");
    const { job } = await enqueue(c);
    const ended = await finish(environment, job);
    if (ended.status === "succeeded") return c.json((await seen(environment, ended)).result);
    throw notTrained(ended, endTimeout);
  });

  on(app, trainAsync, async (c) => {
    const { job, shared } = await enqueue(c);
    const { job_id, status, submitted_at } = job;
    return c.json({ job_id, status, submitted_at, shared }, 202, { Location: `/train/jobs/${job_id}` });
  });

  on(app, list, async (c) => {
    const found = await jobs.list(c.get("environment"), check(list.request.query, c.req.query()));
    return c.json({ jobs: found.map(jobAnswer) });
  });

  on(app, read, async (c) => {
    const id = jobId(c);
    const environment = c.get("environment");
    const job = await jobs.get(environment, id);
    if (job === undefined) throw notFound("training job", id);
    return c.json(jobAnswer(await seen(environment, job)));
  });

  on(app, cancel, async (c) => {
    const id = jobId(c);
    const job = await jobs.cancel(c.get("environment"), id);
    if (job === undefined) throw notFound("training job", id);
    return c.json(jobAnswer(job));
  });
}

function jobId(c: RouteContext): string {
  const id = c.req.param("job_id") ?? "";
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) throw notFound("training job", id);
  return id;
}

/** Milliseconds after a job's end during which this server may not have followed the notification. */
const JUST_ENDED = 10_000;

/** Failures of ours; any other code says what the data or the request does not allow, which is the caller's to mend. */
const OURS = new Set(["training_failed", "worker_lost"]);

function notTrained(job: TrainingJob, endTimeout: number): HttpError {
  const where = `GET /train/jobs/${job.job_id} shows it`;
  if (job.status === "cancelled") return new HttpError(409, "cancelled", `The training was cancelled; ${where}`);
  if (job.status !== "failed")
    return new HttpError(504, "still_running", `The training still runs after ${endTimeout / 60_000} min; ${where}`);
  if (job.error !== null && !OURS.has(job.error.code)) return new HttpError(422, job.error.code, job.error.message);
  return new HttpError(500, "training_failed", `The training failed; ${where}`);
}

function jobAnswer(job: TrainingJob): z.input<typeof Job> {
  const { request, environment: _, traceparent: __, ...shown } = job;
  return { ...shown, feature_key: request.feature_key };
}
