/** A fitted learner: encoded columns in, a raw score and its uncertainty out. Allocates nothing per call. */
export interface Predictor {
  /** The raw score of the columns that begin at `offset` of `x`, were `arm` served. Arm 0, the safe one, where there are none. */
  raw(x: Float64Array, offset: number, arm: number): number;
  /** The raw score as log odds, in which errors are measured. Rising. */
  logOdds(raw: number): number;
  /** Standard error of the log odds of a row whose raw score is `raw`. */
  error(x: Float64Array, offset: number, raw: number, arm: number): number;
  /** Standard error of the difference of the log odds under two arms, which is smaller than both errors together. */
  differenceError(x: Float64Array, offset: number, arm: number, other: number): number;
}
