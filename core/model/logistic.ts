import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { logisticDesign } from "./logistic-design.ts";
import { type Problem, rowsOf } from "./problem.ts";
import { seededRandom } from "./random.ts";

export interface Logistic {
  /** Of the design (logistic-design.ts); the intercept, which is the last, is not among them. */
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly l2: number;
  readonly l2_interactions: number;
  /** Laplace covariance of (coefficients, intercept): the inverse of the penalised Hessian, row after row. */
  readonly covariance: Float64Array;
  /** Laplace approximation of ln P(outcomes | penalties), up to a constant: what `fitBestLogistic` compares. */
  readonly evidence: number;
  readonly iterations: number;
}

export interface LogisticOptions {
  /** Penalty of the columns, > 0. Default 1. */
  readonly l2?: number;
  /** Penalty of the interactions of arms with columns. Default l2. */
  readonly l2_interactions?: number;
  /** Where to begin, e.g. the fit under other penalties. */
  readonly start?: Logistic | undefined;
}

const MAX_ITERATIONS = 100;
const TOLERANCE = 1e-10;
const PENALTIES = [1000, 100, 10, 1] as const;
/** Interactions may be far smaller than what they interact with: of no use at all, in the usual case. */
const INTERACTION_PENALTIES = [10_000, 1000, 100, 10] as const;
/** Rows, and rows times columns, that the penalties are chosen on. */
const CHOICE_ROWS = 100_000;
const CHOICE_CELLS = 4_000_000;

/**
 * Logistic regression: minimises sum_i w_i logloss_i + sum_j penalty_j/2 coefficient_j^2 by iteratively re-weighted least
 * squares (Newton with step halving). Vectors: logistic_regression.json (scikit-learn).
 *
 * The intercept is not penalised. An arm's own coefficient, its average effect, has the penalty 1 whatever the others have:
 * evidence on it is not to be shrunk with columns that say nothing, yet it stays finite where an arm has no positives.
 */
export function fitLogistic(problem: Problem, options: LogisticOptions = {}): Logistic {
  const { l2 = 1, l2_interactions = l2, start } = options;
  const design = logisticDesign(problem);
  const { size } = design;
  const penalties = design.penalties(l2, l2_interactions);
  let beta = new Float64Array(size);
  if (start === undefined) beta[size - 1] = logOdds(problem);
  else {
    beta.set(start.coefficients);
    beta[size - 1] = start.intercept;
  }
  let at = design.derivatives(beta, penalties);
  let iterations = 0;
  for (; iterations < MAX_ITERATIONS; iterations++) {
    const step = decompose(at.hessian, size).solve(Matrix.columnVector(at.gradient)).to1DArray();
    let scale = 1;
    let next = beta.map((value, j) => value - (step[j] as number));
    let objective = design.objective(next, penalties);
    // A full Newton step may overshoot far from the optimum: halve it until it improves.
    while (objective > at.objective + 1e-12 * Math.abs(at.objective) && scale > 1e-6) {
      scale /= 2;
      next = beta.map((value, j) => value - scale * (step[j] as number));
      objective = design.objective(next, penalties);
    }
    const moved = Math.max(...step.map((value) => Math.abs(value * scale)));
    if (objective > at.objective) break;
    beta = next;
    at = design.derivatives(beta, penalties);
    if (moved < TOLERANCE) break;
  }
  const factor = decompose(at.hessian, size);
  const logDeterminant = 2 * factor.lowerTriangularMatrix.diag().reduce((sum, d) => sum + Math.log(d), 0);
  const logPenalties = penalties.reduce((sum, penalty) => sum + (penalty > 0 ? Math.log(penalty) : 0), 0);
  return {
    coefficients: beta.slice(0, size - 1),
    intercept: beta[size - 1] as number,
    l2,
    l2_interactions,
    covariance: Float64Array.from(factor.solve(Matrix.eye(size)).to1DArray()),
    evidence: -at.objective + logPenalties / 2 - logDeterminant / 2,
    iterations,
  };
}

/**
 * The fit under the penalties that the training rows themselves make most likely (empirical Bayes), so that inputs which say
 * nothing are shrunk away without a look at any other slice: first one of 1, 10, 100 or 1000 for all, then one of 10 to
 * 10,000 for the interactions alone.
 *
 * A penalty is the spread of the coefficients that is expected before the rows are seen; it does not depend on their number.
 * So above 100,000 rows it is chosen on a seeded sample, and everything is fitted once, from there.
 */
export function fitBestLogistic(problem: Problem, seed = 1): Logistic {
  const limit = Math.min(CHOICE_ROWS, Math.floor(CHOICE_CELLS / Math.max(1, problem.columns)));
  const whole = problem.y.length <= limit;
  const sample = whole ? problem : sampleOf(problem, limit, seed);
  let best: Logistic | undefined;
  let start: Logistic | undefined;
  const compare = (options: LogisticOptions) => {
    const fit = fitLogistic(sample, { ...options, start });
    if (best === undefined || fit.evidence > best.evidence) best = fit;
    start = fit;
  };
  for (const l2 of PENALTIES) compare({ l2 });
  const chosen = best as unknown as Logistic;
  start = chosen;
  if ((problem.arms?.interactions.length ?? 0) > 0)
    for (const l2_interactions of INTERACTION_PENALTIES) compare({ l2: chosen.l2, l2_interactions });
  const found = best as unknown as Logistic;
  const { l2, l2_interactions } = found;
  return whole ? found : fitLogistic(problem, { l2, l2_interactions, start: found });
}

/** So many rows, each with the same chance (selection sampling), in their order. */
function sampleOf(problem: Problem, size: number, seed: number): Problem {
  const random = seededRandom(seed);
  const rows = new Uint32Array(size);
  const n = problem.y.length;
  for (let row = 0, taken = 0; taken < size; row++) if (random() * (n - row) < size - taken) rows[taken++] = row;
  return rowsOf(problem, rows);
}

function logOdds({ y, weights }: Problem): number {
  let positive = 0;
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    const w = weights?.[i] ?? 1;
    positive += w * (y[i] as number);
    total += w;
  }
  const rate = Math.min(0.999, Math.max(0.001, positive / total));
  return Math.log(rate / (1 - rate));
}

/**
 * Cholesky of the Hessian. Separable data without a penalty on the intercept may bring it to the edge of singular: then a
 * ridge too small to matter is added.
 */
function decompose(hessian: Float64Array, size: number): CholeskyDecomposition {
  const matrix = Matrix.from1DArray(size, size, hessian);
  for (let ridge = 1e-12; ; ridge *= 100) {
    const factor = new CholeskyDecomposition(matrix);
    if (factor.isPositiveDefinite()) return factor;
    for (let j = 0; j < size; j++) matrix.set(j, j, matrix.get(j, j) + ridge);
  }
}
