/** One fit of one set, in a process of its own: `node fit-process.ts <set> <learner> <directory>` prints a FitReport. */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { Learner } from "../../../core/model/model.ts";
import { train } from "../../../core/model/train.ts";
import { fitPlain } from "../../../server/cli/demo/fit-plain.ts";
import { peakMegabytes } from "./in-a-process.ts";
import type { Figures, SetName } from "./reference.ts";
import { readSet } from "./sets.ts";

export interface FitReport extends Figures {
  readonly rows: number;
  readonly columns: number;
  /** Encoding, fit, calibration and measuring. */
  readonly seconds: number;
  /** Of the process, with the data and the runtime; and what of it was there before the fit. */
  readonly peak_mb: number;
  readonly before_mb: number;
}

const [name, learner, directory = ""] = process.argv.slice(2);
const set = readSet(name as SetName, directory);
const before_mb = peakMegabytes();
const began = performance.now();
let seconds = 0;
const found =
  learner === "plain"
    ? fitPlain(set.plain, () => {
        seconds = (performance.now() - began) / 1000;
      })
    : fitProduct(learner as Learner);
if (seconds === 0) seconds = (performance.now() - began) / 1000;
const report: FitReport = { ...found, rows: set.dataset.rows, seconds, before_mb, peak_mb: peakMegabytes() };
console.log(JSON.stringify(report));

function fitProduct(learner: Learner): Figures & { columns: number } {
  const { metrics, process: how } = train(set.dataset, {
    learner,
    seed: 1,
    hash: (text) => createHash("sha256").update(text).digest("hex"),
    now: () => performance.now(),
  });
  const { roc_auc, log_loss, brier, ece } = metrics as Record<string, number>;
  const columns = (how.feature_columns as readonly string[]).length;
  return { auc: roc_auc ?? 0, log_loss: log_loss ?? 0, brier: brier ?? 0, ece: ece ?? 0, columns };
}
