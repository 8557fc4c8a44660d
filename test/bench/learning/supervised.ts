import { printTable } from "../print-table.ts";
import type { FitReport } from "./fit-process.ts";
import { inAProcess } from "./in-a-process.ts";
import { type Figures, type ReferenceLearner, SCIKIT, type SetName } from "./reference.ts";
import { setsIn } from "./sets.ts";

/** What is fitted, and which of scikit-learn's figures stands beside it. */
const FITS: readonly { readonly learner: string; readonly name: string; readonly beside: ReferenceLearner | null }[] = [
  { learner: "plain", name: "logistic, scikit-learn's columns", beside: "logistic" },
  { learner: "logistic", name: "logistic", beside: "logistic" },
  { learner: "trees", name: "trees", beside: "trees" },
  { learner: "svm", name: "svm", beside: null },
];

/** How near ours is to be to scikit-learn's in every figure, given the same columns. */
const SAME = 0.0005;

/**
 * Every learner on the real sets, measured on the TEST rows. Ours is fitted on TRAIN and calibrated on CALIBRATION; the first
 * line of each set is fitted as scikit-learn's was, on both together.
 */
export async function benchSupervised(directory: string): Promise<void> {
  console.log("Figures are AUC / log loss / Brier / ECE on the TEST rows; less is better but for the AUC.\n");
  const lines: string[][] = [];
  const wins: string[] = [];
  const same: string[] = [];
  for (const set of setsIn(directory)) {
    for (const { learner, name, beside } of FITS) {
      const found = await inAProcess<FitReport>("fit-process.ts", [set, learner, directory]);
      const theirs = beside === null ? null : SCIKIT[set][beside];
      lines.push(line(set, name, found, theirs));
      if (theirs === null) continue;
      if (learner === "plain") same.push(`${set} ${largest(found, theirs).toFixed(5)}`);
      if (learner === "trees")
        wins.push(`${set} ${found.log_loss.toFixed(4)} against ${theirs.log_loss} (${verdict(found, theirs)})`);
    }
  }
  printTable([
    ["set", "learner", "ours", "scikit-learn", "log loss -", "seconds", "peak MB", "of it data", "columns"],
    ...lines,
  ]);
  console.log(
    `\nSame columns, largest difference of any figure beyond rounding (to be within ${SAME}): ${same.join(", ")}`,
  );
  console.log(`Log loss of the trees: ${wins.join(", ")}`);
}

function line(set: SetName, name: string, found: FitReport, theirs: Figures | null): string[] {
  return [
    set,
    name,
    shown(found),
    theirs === null ? "" : shown(theirs),
    theirs === null ? "" : (found.log_loss - theirs.log_loss).toFixed(4),
    found.seconds.toFixed(2),
    found.peak_mb.toFixed(0),
    found.before_mb.toFixed(0),
    String(found.columns),
  ];
}

function shown({ auc, log_loss, brier, ece }: Figures): string {
  return `${auc.toFixed(4)} / ${log_loss.toFixed(4)} / ${brier.toFixed(4)} / ${ece.toFixed(3)}`;
}

/** Of any figure, beyond what theirs may have been rounded by. */
function largest(ours: Figures, theirs: Figures): number {
  const beyond = (name: keyof Figures) =>
    Math.max(0, Math.abs(ours[name] - theirs[name]) - (name === "ece" ? 0.0005 : 0.00005));
  return Math.max(beyond("auc"), beyond("log_loss"), beyond("brier"), beyond("ece"));
}

function verdict(ours: Figures, theirs: Figures): string {
  return Number(ours.log_loss.toFixed(4)) <= theirs.log_loss ? "at or below" : "above";
}
