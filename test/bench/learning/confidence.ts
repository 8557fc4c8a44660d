import type { Artifact } from "../../../core/model/artifact.ts";
import { confidenceOf } from "../../../core/model/confidence.ts";
import { createPredictor } from "../../../core/model/create-predictor.ts";
import { fitLearner, type Slice, type Slices } from "../../../core/model/fit-learner.ts";
import type { Learner } from "../../../core/model/model.ts";
import { normalCdf } from "../../../core/model/normal-cdf.ts";
import type { Problem } from "../../../core/model/problem.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { madeUp } from "../../core/model/made-up-trees.ts";
import { printTable } from "../print-table.ts";

/** How often decisions that a learner was sure of were right. */
export interface Sureness {
  /** Decisions that could be sure, and those of them that were. */
  readonly asked: number;
  readonly sure: number;
  /** Mean stated confidence of those, and the share of them that was right. */
  readonly stated: number;
  readonly right: number;
}

const LEARNERS: readonly Learner[] = ["logistic", "trees", "svm"];
const ROWS = [300, 1000, 3000, 10_000];
const WORLDS = 40;
const COLUMNS = 5;
const HELD = 1000;
const POINTS = 200;
/** What a decision must be to be served. */
const SURE = 0.9;

/**
 * Of decisions with a stated confidence of at least 0.9, how many are right, in worlds of few rows whose truth is known: which
 * of two arms is better for a user (uplift), and on which side of the mean a user is (propensity). Worlds that a learner cannot be
 * fitted to are left out.
 */
export async function benchConfidence(): Promise<void> {
  const lines: string[][] = [];
  for (const arms of [2, 1])
    for (const learner of LEARNERS)
      for (const rows of ROWS) {
        const { asked, sure, stated, right } = sureness(learner, { rows, arms, worlds: WORLDS });
        const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
        lines.push([
          arms === 2 ? "uplift" : "propensity",
          ...[learner, String(rows), percent(sure / asked), percent(stated), percent(right)],
          right >= SURE ? "yes" : "NO",
        ]);
      }
  printTable([["target", "learner", "rows", "sure of", "stated", "right", ">= 90 %"], ...lines]);
}

/** Over worlds made by seeds, each with its own effects: small or large, for all or for some, opposite for others. */
export function sureness(
  learner: Learner,
  { rows, arms, worlds }: { readonly rows: number; readonly arms: number; readonly worlds: number },
): Sureness {
  let [asked, sure, stated, right] = [0, 0, 0, 0];
  for (let world = 1; world <= worlds; world++) {
    const truth = worldOf(world);
    const slice = (of: { readonly rows: number; readonly seed: number }) =>
      toSlice(madeUp({ ...of, columns: COLUMNS, arms, logOdds: truth }));
    const slices = {
      train: slice({ rows, seed: world }),
      calibration: slice({ rows: HELD, seed: world + 1000 }),
      validation: slice({ rows: HELD, seed: world + 2000 }),
    };
    const model = fitted(learner, slices, world);
    if (model === undefined) continue;
    const predictor = createPredictor(model);
    const { x } = madeUp({ rows: POINTS, columns: COLUMNS, seed: world + 3000, logOdds: truth });
    const rate = slices.train.y.reduce((sum, y) => sum + y, 0) / rows;
    const threshold = Math.log(rate / (1 - rate));
    for (let offset = 0; offset < x.length; offset += COLUMNS) {
      const at = [...x.subarray(offset, offset + COLUMNS)];
      const logOdds = (arm: number) => predictor.logOdds(predictor.raw(x, offset, arm));
      const [estimate, actual] =
        arms === 2
          ? [logOdds(1) - logOdds(0), truth(at, 1) - truth(at, 0)]
          : [logOdds(0) - threshold, truth(at, 0) - threshold];
      const confidence =
        arms === 2
          ? normalCdf(Math.abs(estimate) / predictor.differenceError(x, offset, 1, 0))
          : confidenceOf(logOdds(0), predictor.error(x, offset, predictor.raw(x, offset, 0), 0), threshold);
      asked++;
      if (estimate === 0 || confidence < SURE) continue;
      sure++;
      stated += confidence;
      if (estimate > 0 === actual > 0) right++;
    }
  }
  return { asked, sure, stated: stated / sure, right: right / sure };
}

/** undefined: this learner could not be fitted to this world. */
function fitted(learner: Learner, slices: Slices, seed: number): Artifact["model"] | undefined {
  try {
    return fitLearner(learner, slices, { seed, onProgress: () => {} }).model;
  } catch {
    return undefined;
  }
}

/** True log odds: two columns matter by themselves; the arm for everybody, by one column's sign and along another. */
function worldOf(seed: number): (x: readonly number[], arm: number) => number {
  const random = seededRandom(seed + 4000);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [base, main, other, all, some, along] = [-1.2, normal(), normal(), normal(), normal(), normal()] as const;
  return (x, arm) =>
    base +
    0.6 * main * (x[0] as number) +
    0.6 * other * (x[1] as number) +
    arm * (0.3 * all + 0.3 * some * Math.sign(x[2] as number) + 0.3 * along * (x[0] as number));
}

function toSlice(problem: Problem): Slice {
  const interactions = Uint16Array.from({ length: COLUMNS }, (_, j) => j);
  return {
    ...problem,
    ...(problem.arms === undefined ? {} : { arms: { ...problem.arms, interactions } }),
    labels: Uint8Array.from(problem.y),
    units: Uint32Array.from(problem.y, (_, row) => row),
  };
}
