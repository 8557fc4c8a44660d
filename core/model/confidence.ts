import cdf from "@stdlib/stats-base-dists-normal-cdf";

/** Steps per standard error in the table, and how far it goes: beyond, the probability is 1 within 1e-15. */
const STEPS = 512;
const REACH = 8;
/** The standard normal distribution function: a table, because the function itself costs as much as a whole decision. */
const table = Float64Array.from({ length: REACH * STEPS + 2 }, (_, i) => cdf(i / STEPS, 0, 1));

/**
 * How probable it is, 0..1, that the true log odds lie on the side of the threshold on which the estimate lies: at least 0.5,
 * exact to 2e-7. Not the score. An error of 0 is certainty.
 */
export function confidenceOf(logOdds: number, error: number, threshold: number): number {
  const distance = Math.abs(logOdds - threshold);
  if (distance === 0) return 0.5;
  const steps = (distance / error) * STEPS;
  if (!(steps < REACH * STEPS)) return 1;
  const at = Math.floor(steps);
  const low = table[at] as number;
  return low + (steps - at) * ((table[at + 1] as number) - low);
}
