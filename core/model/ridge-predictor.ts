import type { Predictor } from "./predictor.ts";
import { multiply, penaltyOf, type RidgeArm, type RidgeModel } from "./ridge.ts";

/** A ridge bandit's predictor: besides the log odds every learner has, the reward itself, on whose scale it is linear. */
export interface RidgePredictor extends Predictor {
  /** The estimated reward, not kept inside 0..1. */
  mean(x: Float64Array, offset: number, arm: number): number;
  /** Of the estimate: sigma^2 z' A^-1 z. Arms are independent. */
  variance(x: Float64Array, offset: number, arm: number): number;
}

/** Where log odds end. */
const LEAST = 1e-3;

export function ridgePredictor({ columns, lambda, arms }: RidgeModel): RidgePredictor {
  const coefficients = arms.map((arm) => coefficientsOf(arm, columns));
  const noises = arms.map((arm, i) => noiseOf(arm, coefficients[i] as Float64Array, columns, lambda));
  const inverses = arms.map(({ inverse }) => Float64Array.from(inverse));
  const scratch = new Float64Array(columns + 1);

  const mean = (x: Float64Array, offset: number, arm: number) => {
    const own = coefficients[arm] as Float64Array;
    let sum = own[columns] as number;
    for (let j = 0; j < columns; j++) sum += (own[j] as number) * (x[offset + j] as number);
    return sum;
  };
  const variance = (x: Float64Array, offset: number, arm: number) =>
    (noises[arm] as number) * Math.max(0, multiply(inverses[arm] as Float64Array, x, offset, columns, scratch));
  const error = (x: Float64Array, offset: number, raw: number, arm: number) => {
    const p = inside(raw);
    return Math.sqrt(variance(x, offset, arm)) / (p * (1 - p));
  };
  return {
    mean,
    variance,
    raw: mean,
    logOdds: (raw) => Math.log(inside(raw) / (1 - inside(raw))),
    error,
    differenceError: (x, offset, arm, other) =>
      Math.hypot(error(x, offset, mean(x, offset, arm), arm), error(x, offset, mean(x, offset, other), other)),
  };
}

function inside(raw: number): number {
  return Math.min(1 - LEAST, Math.max(LEAST, raw));
}

function coefficientsOf({ b, inverse }: RidgeArm, columns: number): Float64Array {
  const out = new Float64Array(columns + 1);
  for (let i = 0, at = 0; i <= columns; i++)
    for (let j = 0; j <= i; j++, at++) {
      (out[i] as number) += (inverse[at] as number) * (b[j] as number);
      if (j < i) (out[j] as number) += (inverse[at] as number) * (b[i] as number);
    }
  return out;
}

/**
 * The variance of a reward about its mean: what the fit left over, by the degrees of freedom it left. One imagined outcome of
 * variance 1/4, the largest there is, keeps it from 0.
 */
function noiseOf(arm: RidgeArm, coefficients: Float64Array, columns: number, lambda: number): number {
  let left = arm.sum_squares;
  let freedom = arm.weight;
  for (let i = 0, at = 0; i <= columns; i++, at += i + 1) {
    const penalty = penaltyOf(i, columns, lambda);
    const own = coefficients[i] as number;
    // |y - X beta|^2 = y'y - beta' b - beta' penalties beta, as (X'X + penalties) beta = b.
    left -= own * ((arm.b[i] as number) + penalty * own);
    freedom -= 1 - penalty * (arm.inverse[at] as number);
  }
  return (0.25 + Math.max(0, left)) / (1 + Math.max(0, freedom));
}
