import { Worker } from "node:worker_threads";
import type { Dataset } from "../core/model/dataset.ts";
import type { Learner } from "../core/model/model.ts";
import type { TrainedModel } from "../core/model/train.ts";
import { Invalid } from "../core/ports.ts";

export interface FitOptions {
  readonly learner: Learner | "auto";
  readonly seed: number;
}

/** What the thread is given, and what it reports. */
export interface FitTask {
  readonly dataset: Dataset;
  readonly options: FitOptions;
}
export type FitReport =
  | { readonly kind: "progress"; readonly progress: number; readonly stage: string }
  | { readonly kind: "done"; readonly model: TrainedModel }
  | { readonly kind: "invalid"; readonly code: string; readonly message: string; readonly field: string | undefined }
  | { readonly kind: "failed"; readonly message: string; readonly stack: string | undefined };

/**
 * Trains in a thread of its own, so that this one keeps serving. The dataset is handed over, not copied: it cannot be read
 * here afterwards.
 *
 * @param control.signal ends the thread; the promise then rejects with the signal's reason
 * @param control.onProgress called with the share done, 0..1, and what is being done, in words
 * @throws Invalid as `train` does; Error when the thread dies
 */
export async function fit(
  dataset: Dataset,
  options: FitOptions,
  control: {
    signal?: AbortSignal | undefined;
    onProgress?: ((progress: number, stage: string) => void) | undefined;
  } = {},
): Promise<TrainedModel> {
  const { signal, onProgress } = control;
  signal?.throwIfAborted();
  const task: FitTask = { dataset, options };
  const worker = new Worker(new URL("./fit-thread.ts", import.meta.url), {
    name: "fit",
    workerData: task,
    transferList: buffersOf(dataset),
  });
  const { promise, resolve, reject } = Promise.withResolvers<TrainedModel>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  worker.on("message", (report: FitReport) => {
    if (report.kind === "progress") onProgress?.(report.progress, report.stage);
    else if (report.kind === "done") resolve(report.model);
    else if (report.kind === "invalid") reject(new Invalid(report.code, report.message, report.field));
    else reject(new Error(`Cannot fit the model: ${report.message}`, { cause: report.stack }));
  });
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`Cannot fit the model: its thread stopped with code ${code}`)));
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", abort);
    await worker.terminate();
  }
}

function buffersOf(dataset: Dataset): ArrayBuffer[] {
  const arrays = [
    dataset.at,
    dataset.labels,
    dataset.units,
    dataset.unit_hashes,
    dataset.slices,
    ...dataset.columns.flatMap((column) => [column.numbers, column.codes]),
  ];
  return arrays.flatMap((array) => (array === null ? [] : [array.buffer as ArrayBuffer]));
}
