import { Worker } from "node:worker_threads";
import type { TrainedModel } from "../core/model/train.ts";
import { Invalid, type Promotion, type TrainingRequest } from "../core/ports.ts";
import type { TrainingDefaults } from "../server/postgres/training-data.ts";

/** What is to be learned, and where from; what the thread is given. */
export interface Lesson {
  readonly databaseUrl: string;
  readonly environment: string;
  readonly request: TrainingRequest;
  /** What the request leaves open. The feature's objective, which comes first, is read with the data. */
  readonly defaults: Omit<TrainingDefaults, "objective">;
  /** Milliseconds since the epoch: outcomes whose window ends later are not known. */
  readonly now: number;
  /** Strategies besides our own, for the gate asks what the feature would serve: PLUGINS of the settings. */
  readonly plugins: readonly string[];
}

/** A model, and how it is to be promoted. */
export type Learned = Omit<TrainedModel, "promote"> & { readonly promote: Promotion };

/** Two steps of one thread; when it fails, both reject, after the thread has ended. */
export interface Learning {
  /** How many examples there are, when all are read. */
  readonly read: Promise<{ readonly rows: number }>;
  /** Settles after `read`. */
  readonly model: Promise<Learned>;
}

/** How far something is: 0..1, and in words. */
export type OnProgress = (progress: number, stage: string) => void;

export interface LearnOptions {
  /** Ends the thread at once; the promises then reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /**
   * Megabytes that the thread's objects may take. Default 1,024: a million examples fit. The examples' numbers are in
   * typed arrays, which are not counted: when the system has no memory for one, that is an error like any other.
   */
  readonly memory?: number;
}

/** What the thread reports. */
export type LearnReport =
  | { readonly kind: "progress"; readonly progress: number; readonly stage: string }
  | { readonly kind: "read"; readonly rows: number }
  | { readonly kind: "done"; readonly model: Learned }
  | { readonly kind: "invalid"; readonly code: string; readonly message: string; readonly field: string | undefined }
  | { readonly kind: "failed"; readonly message: string; readonly stack: string | undefined };

/**
 * Reads the examples and trains on them in a thread with a database connection of its own: this one keeps serving, and
 * nothing but the model comes back.
 *
 * The promises reject with Invalid as `readDataset` and `train` do, and with Invalid `too_much_data` when the thread has
 * used up its memory; with Error when the database cannot be read or the thread dies.
 *
 * @throws the signal's reason when it has aborted already
 */
export function learn(lesson: Lesson, { signal, onProgress, memory = 1024 }: LearnOptions = {}): Learning {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./learn-thread.ts", import.meta.url), {
    name: "learn",
    workerData: lesson,
    resourceLimits: { maxOldGenerationSizeMb: memory },
  });
  const read = Promise.withResolvers<{ rows: number }>();
  const model = Promise.withResolvers<Learned>();
  // One failure rejects both; whoever waits for one of them, or for one after the other, has handled it.
  for (const { promise } of [read, model]) (promise as Promise<unknown>).catch(() => {});

  let over = false;
  const end = async (settle: () => void) => {
    if (over) return;
    over = true;
    signal?.removeEventListener("abort", abort);
    await worker.terminate();
    settle();
  };
  const fail = (error: unknown) =>
    void end(() => {
      read.reject(error);
      model.reject(error);
    });
  const abort = () => fail(signal?.reason);
  signal?.addEventListener("abort", abort);
  worker.on("message", (report: LearnReport) => {
    if (report.kind === "progress") onProgress?.(report.progress, report.stage);
    else if (report.kind === "read") read.resolve({ rows: report.rows });
    else if (report.kind === "done") void end(() => model.resolve(report.model));
    else if (report.kind === "invalid") fail(new Invalid(report.code, report.message, report.field));
    else fail(new Error(`Cannot train: ${report.message}`, { cause: report.stack }));
  });
  worker.on("error", (error) => fail(isOutOfMemory(error) ? tooMuchData(memory) : error));
  worker.on("exit", (code) => fail(new Error(`Cannot train: the thread stopped with code ${code}`)));
  return { read: read.promise, model: model.promise };
}

function isOutOfMemory(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ERR_WORKER_OUT_OF_MEMORY";
}

function tooMuchData(memory: number): Invalid {
  return new Invalid(
    "too_much_data",
    `Cannot train within ${memory} MB of memory: fewer different users, attributes or attribute values would need less`,
  );
}
