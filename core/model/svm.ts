import SVM from "ml-svm";
import type { SvmModel } from "./artifact.ts";
import { blindVariances } from "./blind-variance.ts";
import type { Problem } from "./problem.ts";
import { seededRandom } from "./random.ts";
import { ARM_DISTANCE } from "./svm-predictor.ts";

/** Training time grows with more than the square of the rows. */
const MAX_ROWS = 1000;
const BAGS = 20;
const MAX_BAG_ROWS = 300;
/** Passes over the rows. Where labels are noisy, the solver, which pairs rows at random, would go on for minutes to no avail. */
const MAX_PASSES = 200;
const TOLERANCE = 1e-3;
/** Of those fitted on parts of the rows, that must have been solved for their spread to say anything. */
const MIN_BAGS = 10;
/** The bound of the weights, and how far beyond it the solver (which allows more than it should) may go. */
const C = 1;
const RUNAWAY = 2;
/** Weights below are nothing. */
const LEAST_WEIGHT = 1e-6;

/** A machine without its probability scale, which needs the calibration slice. */
export type Svm = Omit<SvmModel, "scaling">;

/**
 * Support vector machine with a radial kernel (ml-svm), on standardised columns; the arm is an input among others. Above 1,000
 * rows it is fitted on a seeded sample with as equal classes as there are, because it answers "no" to everything on rare
 * positives; the calibration on its own slice, which has the true share, makes probabilities of it. Outcomes that are
 * numbers are taken as something or nothing. Weights are not used.
 *
 * @throws Error when there is no column, or when it cannot be solved
 */
export function fitSvm(problem: Problem, seed: number): Svm {
  const { columns, y, arms } = problem;
  if (columns === 0) throw new Error("Cannot fit a support vector machine: no column varies");
  const random = seededRandom(seed);
  const rows = sample(y, random);
  // The kernel's width of one standard deviation over all columns, as is usual: exp(-distance^2 / columns).
  const sigma = Math.sqrt(columns / 2);
  /** Rows that are support vectors, and their places among the stored ones: the main machine's first. */
  const places = new Map<number, number>();
  const machineOf = (chosen: readonly number[]) => {
    const machine = solve(problem, chosen, sigma, random);
    const vectors = machine.rows.map((row) => {
      const place = places.get(row) ?? places.size;
      places.set(row, place);
      return place;
    });
    return { bias: machine.bias, vectors, weights: machine.weights };
  };
  const main = machineOf(rows);
  if (main.vectors.length === 0) throw new Error("Cannot fit a support vector machine: it found no support vectors");
  // Subsamples rather than bootstrap samples: the solver runs away on rows that are there twice.
  const bag_rows = Math.min(MAX_BAG_ROWS, Math.ceil(rows.length / 2));
  const bags = Array.from({ length: BAGS }, () => {
    const bag = shuffled(Uint32Array.from(rows), random).subarray(0, bag_rows);
    try {
      return [machineOf([...bag])];
    } catch {
      return []; // one that has run away says nothing about the others
    }
  }).flat();
  if (bags.length < MIN_BAGS)
    throw new Error(
      `Cannot tell how sure a support vector machine is: of ${BAGS} fitted on parts of its rows, ${bags.length} could be solved and ${MIN_BAGS} are needed`,
    );
  return {
    learner: "svm",
    arms: arms?.count ?? 1,
    sigma,
    vectors: [...places.keys()].map((row) => Array.from(problem.x.subarray(row * columns, (row + 1) * columns))),
    vector_arms: [...places.keys()].map((row) => arms?.index[row] ?? 0),
    main,
    bags,
    rows: rows.length,
    bag_rows,
    blind: blindVariances({ ...problem, y: problem.y.map((value) => Number(value > 0)), weights: undefined }, rows),
    keeps: `${places.size} encoded rows of the training data are part of this model (its support vectors)`,
  };
}

/** Row numbers of the support vectors, and what each weighs. */
function solve({ x, columns, y, arms }: Problem, rows: readonly number[], sigma: number, random: () => number) {
  const machine = new SVM({
    kernel: { compute: (a, b) => rounded(Math.exp(-squaredDistance(a, b) / (2 * sigma * sigma))) },
    C,
    tol: TOLERANCE,
    maxPasses: 3,
    maxIterations: MAX_PASSES,
    random,
    whitening: false,
  });
  const armInputs = Array.from({ length: arms?.count ?? 0 }, (_, arm) => arm);
  const inputs = rows.map((row) => [
    ...x.subarray(row * columns, (row + 1) * columns),
    // One input an arm, so that any two arms are equally far apart.
    ...armInputs.map((arm) => (arms?.index[row] === arm ? Math.sqrt(ARM_DISTANCE / 2) : 0)),
  ]);
  const labels = rows.map((row): 1 | -1 => ((y[row] as number) > 0 ? 1 : -1));
  const rowOf = new Map(inputs.map((input, i) => [input as readonly number[], rows[i] as number]));
  try {
    machine.train(inputs, labels);
  } catch (error) {
    // Cut off: its weights keep all constraints, and it has them still, of rows that are no support vectors too.
    if (!(error instanceof Error && error.message === "max iterations reached")) throw error;
  }
  if (!machine.alphas.every((alpha) => alpha <= RUNAWAY * C))
    throw new Error("Cannot fit a support vector machine: the solver ran away");
  const support = machine.X.map((_, i) => i).filter((i) => (machine.alphas[i] as number) > LEAST_WEIGHT);
  return {
    bias: machine.b,
    rows: support.map((i) => rowOf.get(machine.X[i] as readonly number[]) as number),
    weights: support.map((i) => (machine.alphas[i] as number) * (machine.Y[i] as number)),
  };
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}

/**
 * To six decimals: which rows the solver pairs next hangs on the last bit, and in that runtimes' exponentials differ. Without it
 * Node's machines and Deno's differed by 1e-3.
 */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Row numbers, ascending: all, or a sample of both classes, each at most half where the other can fill its place. */
function sample(y: Float64Array, random: () => number): number[] {
  if (y.length <= MAX_ROWS) return Array.from(y, (_, row) => row);
  const classes: [Uint32Array, Uint32Array] = [rowsWhere(y, (value) => value <= 0), rowsWhere(y, (value) => value > 0)];
  const [negatives, positives] = classes.map((rows) => shuffled(rows, random)) as [Uint32Array, Uint32Array];
  const takePositives = Math.min(positives.length, Math.max(MAX_ROWS / 2, MAX_ROWS - negatives.length));
  return [...positives.subarray(0, takePositives), ...negatives.subarray(0, MAX_ROWS - takePositives)].sort(
    (a, b) => a - b,
  );
}

function rowsWhere(y: Float64Array, test: (value: number) => boolean): Uint32Array {
  return Uint32Array.from(y.keys()).filter((row) => test(y[row] as number));
}

function shuffled(rows: Uint32Array, random: () => number): Uint32Array {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rows[i], rows[j]] = [rows[j] as number, rows[i] as number];
  }
  return rows;
}
