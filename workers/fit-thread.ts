/** The body of the thread that `fit` starts. */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { train } from "../core/model/train.ts";
import { Invalid } from "../core/ports.ts";
import type { FitReport, FitTask } from "./fit.ts";

const { dataset, options } = workerData as FitTask;
const report = (message: FitReport) => parentPort?.postMessage(message);

try {
  const model = train(dataset, {
    ...options,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
    onProgress: (progress, stage) => report({ kind: "progress", progress, stage }),
  });
  report({ kind: "done", model });
} catch (error) {
  if (error instanceof Invalid)
    report({ kind: "invalid", code: error.code, message: error.message, field: error.field });
  else if (error instanceof Error) report({ kind: "failed", message: error.message, stack: error.stack });
  else report({ kind: "failed", message: String(error), stack: undefined });
}
