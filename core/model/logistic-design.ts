import type { Problem } from "./problem.ts";
import { sigmoid } from "./sigmoid.ts";

/**
 * Where the coefficients of a logistic model with K arms, C columns and M interactions are: the columns (C), then for each arm
 * but the safe one its own coefficient (1) and its interactions (M), then the intercept. Size: C + (K - 1)(1 + M) + 1.
 */
export interface ArmLayout {
  readonly columns: number;
  readonly arms: number;
  readonly interactions: ArrayLike<number>;
}

export function sizeOf({ columns, arms, interactions }: ArmLayout): number {
  return columns + (arms - 1) * (1 + interactions.length) + 1;
}

/** Index of an arm's own coefficient; its interactions follow it. Not for the safe arm, which has none. */
export function blockOf({ columns, interactions }: ArmLayout, arm: number): number {
  return columns + (arm - 1) * (1 + interactions.length);
}

/** A row under one arm is linear in its columns: their coefficients and, last, the intercept of that arm. */
export function armCoefficients(layout: ArmLayout, beta: ArrayLike<number>, arm: number): Float64Array {
  const { columns, interactions } = layout;
  const own = new Float64Array(columns + 1);
  for (let j = 0; j < columns; j++) own[j] = beta[j] as number;
  own[columns] = beta[sizeOf(layout) - 1] as number;
  if (arm === 0) return own;
  const block = blockOf(layout, arm);
  (own[columns] as number) += beta[block] as number;
  for (let k = 0; k < interactions.length; k++)
    (own[interactions[k] as number] as number) += beta[block + 1 + k] as number;
  return own;
}

/** The penalised likelihood of a problem and its derivatives, without ever writing the design down. */
export function logisticDesign(problem: Problem) {
  const { columns } = problem;
  const interactions = problem.arms?.interactions ?? new Uint16Array(0);
  const arms = problem.arms?.count ?? 1;
  const layout = { columns, arms, interactions };
  const size = sizeOf(layout);
  const width = columns + 1;
  /** For each arm, which coefficients each of (columns..., 1) belongs to besides its own: -1 where there is none. */
  const own = Array.from({ length: arms }, (_, arm) => {
    const places = new Int32Array(width).fill(-1);
    if (arm === 0) return places;
    const block = blockOf(layout, arm);
    places[columns] = block;
    interactions.forEach((column, k) => {
      places[column] = block + 1 + k;
    });
    return places;
  });
  const shared = Int32Array.from({ length: width }, (_, j) => (j === columns ? size - 1 : j));

  return {
    size,
    /** The penalty of each coefficient; 0 for the intercept. */
    penalties(l2: number, l2_interactions: number): Float64Array {
      const penalties = new Float64Array(size).fill(l2_interactions);
      penalties.fill(l2, 0, columns);
      for (let arm = 1; arm < arms; arm++) penalties[blockOf(layout, arm)] = 1;
      penalties[size - 1] = 0;
      return penalties;
    },
    objective(beta: Float64Array, penalties: Float64Array): number {
      return penaltyOf(beta, penalties) + lossOf(problem, effective(beta));
    },
    derivatives(beta: Float64Array, penalties: Float64Array) {
      const gradient = Float64Array.from(beta, (value, j) => value * (penalties[j] as number));
      const hessian = new Float64Array(size * size);
      for (let j = 0; j < size; j++) hessian[j * size + j] = penalties[j] as number;
      const sums = armSums(problem, effective(beta), arms);
      // Each number of an arm's sums belongs to the shared coefficients, to the arm's own, and to both crossed.
      for (let arm = 0; arm < arms; arm++) {
        const { slopes, curves } = sums.arms[arm] as ArmSums;
        const mine = own[arm] as Int32Array;
        for (let j = 0; j < width; j++) {
          const places = [shared[j] as number, mine[j] as number];
          for (const a of places) if (a >= 0) (gradient[a] as number) += slopes[j] as number;
          for (let k = 0; k < width; k++) {
            const curve = curves[j >= k ? j * width + k : k * width + j] as number;
            for (const a of places)
              if (a >= 0) {
                (hessian[a * size + (shared[k] as number)] as number) += curve;
                if ((mine[k] as number) >= 0) (hessian[a * size + (mine[k] as number)] as number) += curve;
              }
          }
        }
      }
      return { objective: sums.loss + penaltyOf(beta, penalties), gradient, hessian };
    },
  };

  function effective(beta: Float64Array): Float64Array[] {
    return Array.from({ length: arms }, (_, arm) => armCoefficients(layout, beta, arm));
  }
}

interface ArmSums {
  /** Of (columns..., 1): the gradient. */
  readonly slopes: Float64Array;
  /** The lower triangle of the curvature, (C + 1)^2. */
  readonly curves: Float64Array;
}

function penaltyOf(beta: Float64Array, penalties: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < beta.length; j++) sum += ((penalties[j] as number) / 2) * (beta[j] as number) ** 2;
  return sum;
}

function lossOf({ x, y, columns, weights, arms }: Problem, coefficients: readonly Float64Array[]): number {
  let loss = 0;
  for (let i = 0, at = 0; i < y.length; i++, at += columns) {
    const own = coefficients[arms === undefined ? 0 : (arms.index[i] as number)] as Float64Array;
    loss += (weights === undefined ? 1 : (weights[i] as number)) * rowLoss(logit(x, at, columns, own), y[i] as number);
  }
  return loss;
}

/** One pass over the rows, each touching the sums of its own arm. */
function armSums({ x, y, columns, weights, arms }: Problem, coefficients: readonly Float64Array[], count: number) {
  const width = columns + 1;
  const sums = Array.from({ length: count }, (): ArmSums => {
    return { slopes: new Float64Array(width), curves: new Float64Array(width * width) };
  });
  let loss = 0;
  for (let i = 0, at = 0; i < y.length; i++, at += columns) {
    const arm = arms === undefined ? 0 : (arms.index[i] as number);
    const { slopes, curves } = sums[arm] as ArmSums;
    const z = logit(x, at, columns, coefficients[arm] as Float64Array);
    const p = sigmoid(z);
    const weight = weights === undefined ? 1 : (weights[i] as number);
    loss += weight * rowLoss(z, y[i] as number);
    const slope = weight * (p - (y[i] as number));
    const curve = weight * p * (1 - p);
    const last = columns * width;
    for (let j = 0; j < columns; j++) {
      const xj = x[at + j] as number;
      slopes[j] = (slopes[j] as number) + slope * xj;
      const cx = curve * xj;
      const row = j * width;
      for (let k = 0; k <= j; k++) curves[row + k] = (curves[row + k] as number) + cx * (x[at + k] as number);
      curves[last + j] = (curves[last + j] as number) + cx;
    }
    slopes[columns] = (slopes[columns] as number) + slope;
    curves[last + columns] = (curves[last + columns] as number) + curve;
  }
  return { loss, arms: sums };
}

function logit(x: Float64Array, at: number, columns: number, coefficients: Float64Array): number {
  let z = coefficients[columns] as number;
  for (let j = 0; j < columns; j++) z += (x[at + j] as number) * (coefficients[j] as number);
  return z;
}

/** ln(1 + e^z) - y z, without overflow. */
function rowLoss(z: number, y: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y * z;
}
