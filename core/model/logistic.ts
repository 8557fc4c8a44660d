import { CholeskyDecomposition, Matrix } from "ml-matrix";

/** Rows of standardised inputs, one after another in `x`. */
export interface Problem {
  readonly x: Float64Array;
  readonly columns: number;
  /** 0 or 1 for each row. */
  readonly y: Uint8Array;
  /** Weight of each row. Default 1. */
  readonly weights?: Float64Array | undefined;
}

export interface Logistic {
  readonly intercept: number;
  readonly coefficients: Float64Array;
  readonly l2: number;
  /** Laplace covariance of (coefficients, intercept): the inverse of the penalised Hessian, row after row. */
  readonly covariance: Float64Array;
  /** Laplace approximation of ln P(labels | l2), up to a constant: what `fitBestLogistic` compares. */
  readonly evidence: number;
  readonly iterations: number;
}

const MAX_ITERATIONS = 100;
const TOLERANCE = 1e-10;
const PENALTIES = [1000, 100, 10, 1] as const;

/**
 * Logistic regression: minimises sum_i w_i logloss_i + l2/2 |coefficients|^2 by iteratively re-weighted least squares
 * (Newton with step halving). The intercept is not penalised. Vectors: logistic_regression.json (scikit-learn).
 *
 * @param options.l2 penalty, > 0. Default 1
 * @param options.start where to begin, e.g. the fit under another penalty
 */
export function fitLogistic(problem: Problem, options: { l2?: number; start?: Logistic } = {}): Logistic {
  const { l2 = 1, start } = options;
  const size = problem.columns + 1;
  let beta = new Float64Array(size);
  if (start === undefined) beta[problem.columns] = logOdds(problem);
  else beta.set([...start.coefficients, start.intercept]);
  let at = derivatives(problem, beta, l2);
  let iterations = 0;
  for (; iterations < MAX_ITERATIONS; iterations++) {
    const step = decompose(at.hessian, size).solve(Matrix.columnVector(at.gradient)).to1DArray();
    let scale = 1;
    let next = beta.map((value, j) => value - (step[j] as number));
    let objective = objectiveAt(problem, next, l2);
    // A full Newton step may overshoot far from the optimum: halve it until it improves.
    while (objective > at.objective + 1e-12 * Math.abs(at.objective) && scale > 1e-6) {
      scale /= 2;
      next = beta.map((value, j) => value - scale * (step[j] as number));
      objective = objectiveAt(problem, next, l2);
    }
    const moved = Math.max(...step.map((value) => Math.abs(value * scale)));
    if (objective > at.objective) break;
    beta = next;
    at = derivatives(problem, beta, l2);
    if (moved < TOLERANCE) break;
  }
  const factor = decompose(at.hessian, size);
  const logDeterminant = 2 * factor.lowerTriangularMatrix.diag().reduce((sum, d) => sum + Math.log(d), 0);
  return {
    intercept: beta[problem.columns] as number,
    coefficients: beta.slice(0, problem.columns),
    l2,
    covariance: Float64Array.from(factor.solve(Matrix.eye(size)).to1DArray()),
    evidence: -at.objective + (problem.columns / 2) * Math.log(l2) - logDeterminant / 2,
    iterations,
  };
}

/**
 * The fit under the penalty of 1, 10, 100 or 1000 that the training rows themselves make most likely (empirical Bayes), so
 * that inputs which say nothing are shrunk away without a look at any other slice.
 */
export function fitBestLogistic(problem: Problem): Logistic {
  let best: Logistic | undefined;
  let start: Logistic | undefined;
  for (const l2 of PENALTIES) {
    const fit = fitLogistic(problem, start === undefined ? { l2 } : { l2, start });
    if (best === undefined || fit.evidence > best.evidence) best = fit;
    start = fit;
  }
  return best as Logistic;
}

/** 1 / (1 + e^-z), without overflow. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
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

function objectiveAt(problem: Problem, beta: Float64Array, l2: number): number {
  const { x, y, columns, weights } = problem;
  let objective = 0;
  for (let j = 0; j < columns; j++) objective += (l2 / 2) * (beta[j] as number) ** 2;
  for (let i = 0, at = 0; i < y.length; i++, at += columns)
    objective += (weights?.[i] ?? 1) * rowLoss(logit(x, at, columns, beta), y[i] as number);
  return objective;
}

/** Objective, gradient and Hessian in one pass. Only the lower triangle is summed, then mirrored. */
function derivatives(problem: Problem, beta: Float64Array, l2: number) {
  const { x, y, columns, weights } = problem;
  const size = columns + 1;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  let objective = 0;
  for (let i = 0, at = 0; i < y.length; i++, at += columns) {
    const z = logit(x, at, columns, beta);
    const p = sigmoid(z);
    const weight = weights?.[i] ?? 1;
    objective += weight * rowLoss(z, y[i] as number);
    const slope = weight * (p - (y[i] as number));
    const curve = weight * p * (1 - p);
    for (let j = 0; j < columns; j++) {
      const xj = x[at + j] as number;
      (gradient[j] as number) += slope * xj;
      const row = j * size;
      const cx = curve * xj;
      if (cx !== 0) for (let k = 0; k <= j; k++) (hessian[row + k] as number) += cx * (x[at + k] as number);
      (hessian[columns * size + j] as number) += cx;
    }
    (gradient[columns] as number) += slope;
    (hessian[columns * size + columns] as number) += curve;
  }
  for (let j = 0; j < columns; j++) {
    objective += (l2 / 2) * (beta[j] as number) ** 2;
    (gradient[j] as number) += l2 * (beta[j] as number);
    (hessian[j * size + j] as number) += l2;
  }
  for (let j = 0; j < size; j++) for (let k = 0; k < j; k++) hessian[k * size + j] = hessian[j * size + k] as number;
  return { objective, gradient, hessian };
}

function logit(x: Float64Array, at: number, columns: number, beta: Float64Array): number {
  let z = beta[columns] as number;
  for (let j = 0; j < columns; j++) z += (x[at + j] as number) * (beta[j] as number);
  return z;
}

/** ln(1 + e^z) - y z, without overflow. */
function rowLoss(z: number, y: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y * z;
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
