/**
 * What one arm measured, as sums over its users: enough for a mean, its variance and every covariance, and small enough
 * to keep. `n` is the number of users in all of them.
 */
export type Sample = Proportion | Mean | Ratio | Cuped | CupedRatio;

/** A yes or no a user: `sum` users said yes. */
export interface Proportion {
  readonly type: "proportion";
  readonly n: number;
  readonly sum: number;
}

/** A number a user. */
export interface Mean {
  readonly type: "mean";
  readonly n: number;
  readonly sum: number;
  readonly sumSquares: number;
}

/** A ratio of two sums over users (revenue per order): users are independent, orders are not. */
interface Ratio {
  readonly type: "ratio";
  readonly n: number;
  readonly numerator: Proportion | Mean;
  readonly denominator: Proportion | Mean;
  readonly sumOfProducts: number;
}

/** A number a user, and the same from before the experiment, which explains part of its spread (CUPED). */
export interface Cuped {
  readonly type: "cuped";
  readonly n: number;
  readonly post: Proportion | Mean;
  readonly pre: Proportion | Mean;
  readonly postPreSumOfProducts: number;
}

/** CUPED for a ratio: m is the numerator, d the denominator, each before (pre) and during (post) the experiment. */
export interface CupedRatio {
  readonly type: "cupedRatio";
  readonly n: number;
  readonly mPost: Proportion | Mean;
  readonly dPost: Proportion | Mean;
  readonly mPre: Proportion | Mean;
  readonly dPre: Proportion | Mean;
  readonly mPostMPre: number;
  readonly dPostDPre: number;
  readonly mPreDPre: number;
  readonly mPostDPost: number;
  readonly mPostDPre: number;
  readonly mPreDPost: number;
}

export function mean(sample: Proportion | Mean): number {
  return sample.n === 0 ? 0 : sample.sum / sample.n;
}

/** Of a proportion p (1 - p), as for known outcomes; of numbers with n - 1. 0 when there are too few users. */
export function variance(sample: Proportion | Mean): number {
  if (sample.type === "proportion") return mean(sample) * (1 - mean(sample));
  if (sample.n <= 1) return 0;
  return (sample.sumSquares - sample.sum ** 2 / sample.n) / (sample.n - 1);
}

/** Of two measurements of the same users. */
export function covariance(a: Proportion | Mean, b: Proportion | Mean, sumOfProducts: number): number {
  const { n } = a;
  if (n <= 1) return 0;
  const sum = sumOfProducts - (a.sum * b.sum) / n;
  return a.type === "proportion" && b.type === "proportion" ? sum / n : sum / (n - 1);
}

/** Both arms as one sample. */
export function pool(a: Proportion | Mean, b: Proportion | Mean): Proportion | Mean {
  const n = a.n + b.n;
  const sum = a.sum + b.sum;
  if (a.type === "proportion" && b.type === "proportion") return { type: "proportion", n, sum };
  return { type: "mean", n, sum, sumSquares: sumSquares(a) + sumSquares(b) };
}

function sumSquares(sample: Proportion | Mean): number {
  return sample.type === "proportion" ? sample.sum : sample.sumSquares;
}
