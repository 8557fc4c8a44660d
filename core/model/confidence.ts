import cdf from "@stdlib/stats-base-dists-normal-cdf";

const standardNormal = cdf.factory(0, 1);

/**
 * How probable it is, 0..1, that the true log odds lie on the side of the threshold on which the estimate lies: at least 0.5.
 * Not the score. An error of 0 is certainty.
 */
export function confidenceOf(
  { log_odds, error }: { readonly log_odds: number; readonly error: number },
  threshold: number,
): number {
  const distance = Math.abs(log_odds - threshold);
  return distance === 0 ? 0.5 : error === 0 ? 1 : standardNormal(distance / error);
}
