import SVM from "ml-svm";
import type { SvmModel } from "./artifact.ts";
import type { Problem } from "./logistic.ts";
import { seededRandom } from "./random.ts";

/** Training time grows with more than the square of the rows. */
const MAX_ROWS = 1000;

/** A machine without its probability scale, which needs the calibration slice. */
export type Svm = Omit<SvmModel, "scaling">;

/**
 * Support vector machine with a radial kernel (ml-svm), on standardised columns. Above 1,000 rows it is fitted on a seeded
 * sample with as equal classes as there are, because it answers "no" to everything on rare positives; the calibration on
 * its own slice, which has the true share, makes probabilities of it.
 *
 * @throws Error when there is no column, or when it does not converge
 */
export function fitSvm(problem: Problem, seed: number): Svm {
  const { x, columns, y } = problem;
  if (columns === 0) throw new Error("Cannot fit a support vector machine: no column varies");
  const random = seededRandom(seed);
  const rows = sample(y, random);
  // The kernel's width of one standard deviation over all columns, as is usual: exp(-distance^2 / columns).
  const sigma = Math.sqrt(columns / 2);
  const machine = new SVM({
    kernel: "rbf",
    kernelOptions: { sigma },
    C: 1,
    maxIterations: 2000,
    random,
    whitening: false,
  });
  machine.train(
    rows.map((row) => Array.from(x.subarray(row * columns, (row + 1) * columns))),
    rows.map((row) => (y[row] === 1 ? 1 : -1)),
  );
  if (machine.X.length === 0) throw new Error("Cannot fit a support vector machine: it found no support vectors");
  return {
    learner: "svm",
    sigma,
    bias: machine.b,
    vectors: machine.X.map((vector) => [...vector]),
    weights: machine.alphas.map((alpha, i) => alpha * (machine.Y[i] as number)),
    keeps: `${machine.X.length} encoded rows of the training data are part of this model (its support vectors)`,
  };
}

/** Row numbers, ascending: all, or a sample of both classes, each at most half where the other can fill its place. */
function sample(y: Uint8Array, random: () => number): number[] {
  if (y.length <= MAX_ROWS) return Array.from(y, (_, row) => row);
  const classes = [0, 1].map((label) =>
    shuffled(
      Array.from(y.keys()).filter((row) => y[row] === label),
      random,
    ),
  );
  const [negatives, positives] = classes as [number[], number[]];
  const takePositives = Math.min(positives.length, Math.max(MAX_ROWS / 2, MAX_ROWS - negatives.length));
  return [...positives.slice(0, takePositives), ...negatives.slice(0, MAX_ROWS - takePositives)].sort((a, b) => a - b);
}

function shuffled(rows: number[], random: () => number): number[] {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rows[i], rows[j]] = [rows[j] as number, rows[i] as number];
  }
  return rows;
}
