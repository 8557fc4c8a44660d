import { CholeskyDecomposition, Matrix } from "ml-matrix";
import { z } from "zod";
import type { Problem } from "./problem.ts";

const Finite = z.number();

/** What is known of one arm: a ridge regression of its own, in sums that every further outcome can be added to. */
const RidgeArm = z.object({
  /** Outcomes, and the sum of their weights. */
  n: z.int().nonnegative(),
  weight: Finite.nonnegative(),
  /** Sum of weight reward^2. */
  sum_squares: Finite.nonnegative(),
  /** Sum of weight reward (columns..., 1). */
  b: z.array(Finite),
  /** (penalties + sum of weight (columns..., 1)(columns..., 1)')^-1: the lower triangle, row after row. */
  inverse: z.array(Finite),
});
export type RidgeArm = z.infer<typeof RidgeArm>;

/**
 * A disjoint linear model (Li, Chu, Langford and Schapire, "A contextual-bandit approach", 2010): arms share nothing, so that
 * what is known of them is independent. Rewards are 0..1, inputs standardised.
 */
export const RidgeModel = z.object({
  learner: z.literal("ridge"),
  /** Of the encoding; every arm has an intercept besides. */
  columns: z.int().nonnegative(),
  /** Penalty of the coefficients. */
  lambda: Finite.positive(),
  /** In the order of the artifact's arms. */
  arms: z.array(RidgeArm).min(1),
});
export type RidgeModel = z.infer<typeof RidgeModel>;

/** The default penalty: chosen on Hillstrom, docs/decisions/0081-bandit-policies.md. */
const RIDGE_LAMBDA = 100;
/** Of the intercept: a hundredth of an outcome, only so that an arm nothing is known of has an inverse. */
const INTERCEPT_PENALTY = 0.01;

/** A model that has seen nothing. */
export function newRidge(columns: number, arms: number, lambda = RIDGE_LAMBDA): RidgeModel {
  const size = columns + 1;
  return {
    learner: "ridge",
    columns,
    lambda,
    arms: Array.from({ length: arms }, () => {
      const inverse: number[] = [];
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) inverse.push(i === j ? 1 / penaltyOf(i, columns, lambda) : 0);
      return { n: 0, weight: 0, sum_squares: 0, b: new Array<number>(size).fill(0), inverse };
    }),
  };
}

/**
 * Adds one outcome to the state, in place (Sherman and Morrison, 1950): the same as fitting anew with it, to 1e-9 after
 * 100,000 outcomes, at the cost of one multiplication of the matrix.
 *
 * @param x holds the row's columns from `offset` on
 * @param reward 0..1
 * @param weight of the outcome, >= 0
 */
export function updateRidge(
  state: RidgeModel,
  x: Float64Array,
  offset: number,
  arm: number,
  reward: number,
  weight = 1,
): void {
  const own = armOf(state, arm);
  const { columns } = state;
  const { b, inverse } = own;
  const product = new Float64Array(columns + 1);
  const leverage = multiply(inverse, x, offset, columns, product);
  const scale = weight / (1 + weight * leverage);
  for (let i = 0, at = 0; i <= columns; i++) {
    const scaled = scale * (product[i] as number);
    for (let j = 0; j <= i; j++, at++) (inverse[at] as number) -= scaled * (product[j] as number);
    (b[i] as number) += weight * reward * (i < columns ? (x[offset + i] as number) : 1);
  }
  own.n += 1;
  own.weight += weight;
  own.sum_squares += weight * reward * reward;
}

/** The model of all rows at once. Throws a RangeError for an arm the problem does not have. */
export function fitRidge({ x, y, columns, weights, arms }: Problem, lambda = RIDGE_LAMBDA): RidgeModel {
  const model = newRidge(columns, arms?.count ?? 1, lambda);
  const size = columns + 1;
  const sums = model.arms.map(() => new Float64Array((size * (size + 1)) / 2));
  for (let row = 0, from = 0; row < y.length; row++, from += columns) {
    const arm = arms === undefined ? 0 : (arms.index[row] as number);
    const own = armOf(model, arm);
    const matrix = sums[arm] as Float64Array;
    const weight = weights === undefined ? 1 : (weights[row] as number);
    const reward = y[row] as number;
    for (let i = 0, at = 0; i <= columns; i++) {
      const scaled = weight * (i < columns ? (x[from + i] as number) : 1);
      (own.b[i] as number) += scaled * reward;
      for (let j = 0; j < i; j++, at++) (matrix[at] as number) += scaled * (x[from + j] as number);
      (matrix[at++] as number) += i < columns ? scaled * (x[from + i] as number) : scaled;
    }
    own.n += 1;
    own.weight += weight;
    own.sum_squares += weight * reward * reward;
  }
  model.arms.forEach((own, arm) => {
    own.inverse = invert(sums[arm] as Float64Array, columns, lambda);
  });
  return model;
}

/** Writes inverse (columns..., 1) to `out`, and returns its product with (columns..., 1). */
export function multiply(
  inverse: ArrayLike<number>,
  x: Float64Array,
  offset: number,
  columns: number,
  out: Float64Array,
): number {
  out.fill(0);
  let product = 0;
  for (let i = 0, at = 0; i <= columns; i++) {
    const xi = i < columns ? (x[offset + i] as number) : 1;
    let sum = 0;
    for (let j = 0; j < i; j++, at++) {
      const value = inverse[at] as number;
      sum += value * (x[offset + j] as number);
      (out[j] as number) += value * xi;
      product += 2 * value * xi * (x[offset + j] as number);
    }
    const diagonal = inverse[at++] as number;
    (out[i] as number) += sum + diagonal * xi;
    product += diagonal * xi * xi;
  }
  return product;
}

export function penaltyOf(coefficient: number, columns: number, lambda: number): number {
  return coefficient === columns ? INTERCEPT_PENALTY : lambda;
}

function armOf({ arms }: RidgeModel, arm: number): RidgeArm {
  const own = arms[arm];
  if (own === undefined) throw new RangeError(`Cannot learn of arm ${arm}: the model has ${arms.length}`);
  return own;
}

function invert(sums: Float64Array, columns: number, lambda: number): number[] {
  const size = columns + 1;
  const matrix = Matrix.zeros(size, size);
  for (let i = 0, at = 0; i < size; i++)
    for (let j = 0; j <= i; j++, at++) {
      const value = (sums[at] as number) + (i === j ? penaltyOf(i, columns, lambda) : 0);
      matrix.set(i, j, value);
      matrix.set(j, i, value);
    }
  const inverse = new CholeskyDecomposition(matrix).solve(Matrix.eye(size));
  return Array.from({ length: size }, (_, i) => Array.from({ length: i + 1 }, (_, j) => inverse.get(i, j))).flat();
}
