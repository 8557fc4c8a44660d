import type { Evidence } from "./evidence.ts";

/** What a policy would have been worth, by every estimator, and whether the log can carry it. */
export interface Estimates {
  /** Inverse propensity score: unbiased, noisy. */
  readonly ips: number;
  readonly ips_error: number;
  /** With weights of at most 3: less noise, pulled towards 0. */
  readonly clipped_ips: number;
  /** Self-normalised: the weighted mean of the rewards. */
  readonly snips: number;
  readonly snips_error: number;
  /** Direct method: q alone, as good as q. */
  readonly dm: number;
  /** Doubly robust: right when the propensities are, and precise when q is good. */
  readonly dr: number;
  readonly dr_error: number;
  readonly sndr: number;
  /** DR where the weight is at most 1, DM elsewhere. */
  readonly switch_dr: number;
  /** DR with weights shrunk to 10 w / (w^2 + 10). */
  readonly dr_os: number;
  /** Effective number of units: (sum w)^2 / sum of squares of the units' weights. */
  readonly ess: number;
  readonly max_weight: number;
  /** 1 when the propensities are right, and its standard error. */
  readonly mean_weight: number;
  readonly mean_weight_error: number;
}

const CLIP = 3;
const SWITCH_AT = 1;
const SHRINKAGE = 10;

/**
 * The value of a policy from decisions of another one, in one pass over the rows. Rows of one unit are one observation:
 * errors and the effective size count units. Needs a row; of a single unit the errors are infinite.
 *
 * @param policy rows x arms, probabilities
 * @param q rows x arms, estimated rewards, out of sample
 *
 * Source: Dudík, Langford and Li (2011); Swaminathan and Joachims (2015); Wang, Agarwal and Dudík (2017); Su et al. (2020).
 */
export function estimate(
  { arms, rows, units, actions, propensities, rewards }: Omit<Evidence, "guardrails">,
  policy: Float64Array,
  q: Float64Array,
): Estimates {
  const k = arms.length;
  const byUnit = { rows: sums(units), weight: sums(units), ips: sums(units), dr: sums(units) };
  let weight = 0;
  let ips = 0;
  let clipped = 0;
  let dm = 0;
  let dr = 0;
  let corrections = 0;
  let switched = 0;
  let shrunk = 0;
  let max = 0;
  for (let row = 0; row < rows; row++) {
    const first = row * k;
    const action = actions[row] as number;
    const reward = rewards[row] as number;
    let model = 0;
    for (let arm = first; arm < first + k; arm++) model += (policy[arm] as number) * (q[arm] as number);
    const known = action < k;
    const w = known ? (policy[first + action] as number) / (propensities[row] as number) : 0;
    const residual = known ? reward - (q[first + action] as number) : 0;
    weight += w;
    ips += w * reward;
    clipped += Math.min(w, CLIP) * reward;
    dm += model;
    dr += model + w * residual;
    corrections += w * residual;
    switched += w <= SWITCH_AT ? model + w * residual : model;
    shrunk += model + ((SHRINKAGE * w) / (w * w + SHRINKAGE)) * residual;
    if (w > max) max = w;
    const unit = units[row] as number;
    add(byUnit.rows, unit, 1);
    add(byUnit.weight, unit, w);
    add(byUnit.ips, unit, w * reward);
    add(byUnit.dr, unit, model + w * residual);
  }
  const snips = weight === 0 ? 0 : ips / weight;
  let squares = 0;
  for (const w of byUnit.weight) squares += w * w;
  return {
    ips: ips / rows,
    ips_error: ratioError(byUnit.ips, byUnit.rows, ips, rows),
    clipped_ips: clipped / rows,
    snips,
    snips_error: ratioError(byUnit.ips, byUnit.weight, ips, weight),
    dm: dm / rows,
    dr: dr / rows,
    dr_error: ratioError(byUnit.dr, byUnit.rows, dr, rows),
    sndr: dm / rows + (weight === 0 ? 0 : corrections / weight),
    switch_dr: switched / rows,
    dr_os: shrunk / rows,
    ess: squares === 0 ? 0 : weight ** 2 / squares,
    max_weight: max,
    mean_weight: weight / rows,
    mean_weight_error: ratioError(byUnit.weight, byUnit.rows, weight, rows),
  };
}

/** What each row says of the policy's value: sum over arms of policy times q, plus the weighted error of q (doubly robust). */
export function doublyRobust(
  { arms, rows, actions, propensities }: Evidence,
  rewards: Float64Array,
  policy: Float64Array,
  q: Float64Array,
): Float64Array {
  const k = arms.length;
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const first = row * k;
    const action = actions[row] as number;
    let value = 0;
    for (let arm = first; arm < first + k; arm++) value += (policy[arm] as number) * (q[arm] as number);
    if (action < k)
      value +=
        ((policy[first + action] as number) / (propensities[row] as number)) *
        ((rewards[row] as number) - (q[first + action] as number));
    values[row] = value;
  }
  return values;
}

/** A mean over rows and its standard error when rows of one unit are one observation; infinite for a single unit. */
export function meanByUnit(
  values: Float64Array,
  units: Uint32Array,
): { readonly mean: number; readonly error: number } {
  const totals = sums(units);
  const counts = sums(units);
  let total = 0;
  for (let row = 0; row < values.length; row++) {
    total += values[row] as number;
    add(totals, units[row] as number, values[row] as number);
    add(counts, units[row] as number, 1);
  }
  return { mean: total / values.length, error: ratioError(totals, counts, total, values.length) };
}

/** Standard error of total / size, both summed over independent units, by linearisation. */
function ratioError(totals: Float64Array, sizes: Float64Array, total: number, size: number): number {
  const n = totals.length;
  if (n < 2) return Number.POSITIVE_INFINITY;
  if (size === 0) return 0;
  const ratio = total / size;
  let squares = 0;
  for (let unit = 0; unit < n; unit++) squares += ((totals[unit] as number) - ratio * (sizes[unit] as number)) ** 2;
  return Math.sqrt((squares * n) / (n - 1)) / size;
}

/** A number a unit. */
function sums(units: Uint32Array): Float64Array {
  let last = -1;
  for (const unit of units) if (unit > last) last = unit;
  return new Float64Array(last + 1);
}

function add(sums: Float64Array, unit: number, value: number): void {
  sums[unit] = (sums[unit] as number) + value;
}
