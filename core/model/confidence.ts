import { normalCdf } from "./normal-cdf.ts";

/**
 * How probable it is, 0..1, that the true log odds lie on the side of the threshold on which the estimate lies: at least 0.5,
 * exact to 2e-7. Not the score. An error of 0 is certainty.
 */
export function confidenceOf(logOdds: number, error: number, threshold: number): number {
  const distance = Math.abs(logOdds - threshold);
  return distance === 0 ? 0.5 : normalCdf(distance / error);
}
