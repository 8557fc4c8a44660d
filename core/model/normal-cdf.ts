import cdf from "@stdlib/stats-base-dists-normal-cdf";

/** Steps per standard deviation in the table, and how far it goes: beyond, the probability is 0 or 1 within 1e-15. */
const STEPS = 512;
const REACH = 8;
/** A table, because the function itself costs as much as a whole decision. */
const table = Float64Array.from({ length: REACH * STEPS + 2 }, (_, i) => cdf(i / STEPS, 0, 1));

/** The standard normal distribution function, exact to 2e-7. NaN counts as beyond every bound: 1. */
export function normalCdf(z: number): number {
  const steps = Math.abs(z) * STEPS;
  if (!(steps < REACH * STEPS)) return z < 0 ? 0 : 1;
  const at = Math.floor(steps);
  const low = table[at] as number;
  const above = low + (steps - at) * ((table[at + 1] as number) - low);
  return z < 0 ? 1 - above : above;
}
