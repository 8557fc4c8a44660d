import type * as experiments from "../http/routes/experiments.ts";
import type * as lift from "../http/routes/lift.ts";
import type * as checks from "../http/routes/model-checks.ts";
import type * as models from "../http/routes/models.ts";
import type * as replay from "../http/routes/replay.ts";
import type * as train from "../http/routes/train.ts";
import type { BodyOf, Caller, CallOptions, QueryOf } from "./caller.ts";

export type TrainOptions = BodyOf<typeof train.train>;

/** Milliseconds: the server waits ten minutes and a half for a training. */
const TRAINING = 660_000;
const LONG = 60_000;

/** Models, and what features achieve. Every call rejects with ApiError when it does not succeed. */
export function learningCalls({ call }: Caller) {
  return {
    /** Trains and waits, eleven minutes at most. */
    train: (body: TrainOptions = {}, options?: CallOptions) =>
      call<typeof train.train>("post", "/train", { body }, { timeout: TRAINING, ...options }),
    /** Queues a training job. */
    trainAsync: (body: TrainOptions = {}, options?: CallOptions) =>
      call<typeof train.trainAsync>("post", "/train/async", { body }, options),
    listTrainingJobs: async (query?: QueryOf<typeof train.list>, options?: CallOptions) =>
      (await call<typeof train.list>("get", "/train/jobs", { query }, options)).jobs,
    trainingJob: (job_id: string, options?: CallOptions) =>
      call<typeof train.read>("get", "/train/jobs/{job_id}", { params: { job_id } }, options),
    cancelTraining: (job_id: string, options?: CallOptions) =>
      call<typeof train.cancel>("delete", "/train/jobs/{job_id}", { params: { job_id } }, options),

    /** The model that decides for a feature, or by default. */
    modelStatus: (feature_key?: string, options?: CallOptions) =>
      call<typeof models.status>("get", "/model/status", { query: { feature_key } }, options),
    /** Trained versions, newest first. */
    modelRuns: async (query?: QueryOf<typeof models.runs>, options?: CallOptions) =>
      (await call<typeof models.runs>("get", "/model/runs", { query }, options)).runs,
    /** With its artifact. */
    getModel: (version: string, options?: CallOptions) =>
      call<typeof models.read>("get", "/models/{version}", { params: { version } }, options),
    /** Makes a candidate live; `force` overrides the gate, for a reason. */
    promote: (version: string, body: BodyOf<typeof models.promote> = {}, options?: CallOptions) =>
      call<typeof models.promote>("post", "/models/{version}/promote", { params: { version }, body }, options),
    /** Makes an earlier version live again. */
    rollback: (version: string, reason?: string, options?: CallOptions) => {
      const ask = { params: { version }, body: { reason } };
      return call<typeof models.rollback>("post", "/models/{version}/rollback", ask, options);
    },
    /** Checks a model that decides, as soon as a worker is free. */
    checkModel: (version: string, options?: CallOptions) =>
      call<typeof checks.ask>("post", "/models/{version}/checks", { params: { version } }, options),
    /** What the checks of a model found, newest first. */
    modelChecks: async (version: string, query?: QueryOf<typeof checks.list>, options?: CallOptions) => {
      const ask = { params: { version }, query };
      return (await call<typeof checks.list>("get", "/models/{version}/checks", ask, options)).checks;
    },

    /** What the feature's models add, against the users held out. */
    lift: (idOrKey: string | number, query?: QueryOf<typeof lift.lift>, options?: CallOptions) => {
      const ask = { params: { feature: idOrKey }, query };
      return call<typeof lift.lift>("get", "/features/{feature}/lift", ask, { timeout: LONG, ...options });
    },
    /** What another policy would have done, such as `{ policy: { always: "on" } }`. */
    replay: (idOrKey: string | number, body: BodyOf<typeof replay.route>, options?: CallOptions) => {
      const ask = { params: { feature: idOrKey }, body };
      return call<typeof replay.route>("post", "/features/{feature}/replay", ask, { timeout: LONG, ...options });
    },

    createExperiment: (body: BodyOf<typeof experiments.create>, options?: CallOptions) =>
      call<typeof experiments.create>("post", "/experiments", { body }, options),
    listExperiments: (options?: CallOptions) => call<typeof experiments.list>("get", "/experiments", {}, options),
    getExperiment: (id: number, options?: CallOptions) =>
      call<typeof experiments.get>("get", "/experiments/{id}", { params: { id } }, options),
    startExperiment: (id: number, options?: CallOptions) =>
      call<typeof experiments.start>("post", "/experiments/{id}/start", { params: { id } }, options),
    /** Ends it for good. */
    stopExperiment: (id: number, options?: CallOptions) =>
      call<typeof experiments.stop>("post", "/experiments/{id}/stop", { params: { id } }, options),
    experimentResult: (id: number, options?: CallOptions) =>
      call<typeof experiments.result>("get", "/experiments/{id}/result", { params: { id } }, options),
  };
}
