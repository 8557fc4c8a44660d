import type { Json } from "../json.ts";
import { armMeans } from "./arm-means.ts";
import { doublyRobust, estimate, meanByUnit } from "./estimators.ts";
import type { Evidence } from "./evidence.ts";
import { amount, count, percent, signed } from "./in-words.ts";

/** What a challenger is judged by. Matrices are rows x arms. */
export interface GateInput {
  /** Decisions of the validation slice: none of the two policies was trained on them. */
  readonly evidence: Evidence;
  readonly champion: Float64Array;
  readonly challenger: Float64Array;
  /** Estimated rewards, out of sample. */
  readonly q: Float64Array;
  /** What they are called in the verdict: `model checkout@4`, `plain rollout`. */
  readonly names: { readonly champion: string; readonly challenger: string };
  /** Of the challenger's calibrated probabilities (core/model/metrics.ts). */
  readonly calibration_error: number;
  /** One for each of the evidence's. */
  readonly guardrails: readonly GateGuardrail[];
  /** Which way the objective is better. Default increase. */
  readonly direction?: "increase" | "decrease";
  /** How much worse than the champion the challenger may still be, with 95 % confidence, 0..1. Default 0. */
  readonly margin?: number;
}

export interface GateGuardrail {
  readonly name: string;
  readonly harmful: "increase" | "decrease";
  /** Tolerated change, relative to the champion's share, 0..1. */
  readonly margin: number;
}

export interface GateResult {
  readonly promote: boolean;
  /** What was compared, on what, the estimate, and what failed. */
  readonly verdict: string;
  /** The numbers. */
  readonly report: Readonly<Record<string, Json>>;
}

/** One-sided 95 %. */
const ERRORS = 1.645;
const LEAST_UNITS = 200;
const LEAST_SHARE_OF_UNITS = 0.1;
const MAX_WEIGHT = 50;
/** The mean weight may be this many standard errors from 1. */
const WEIGHT_ERRORS = 3;
const MAX_CALIBRATION_ERROR = 0.05;
const ROUNDING = 1e-9;

/**
 * Whether a challenger may take over from the champion: doubly robust, on the same decisions, so that what they share drops
 * out of the difference. All of these hold, or it is not promoted and the verdict says which do not:
 * mean D > 0 and mean D - 1.645 se > -margin; an effective size of at least max(200, 10 %) units; no weight above 50; a mean
 * weight within 3 standard errors of 1; a calibration error of at most 0.05; of each guardrail, harm's upper bound within its
 * margin; and it beats the best fixed arm by more than 1.645 standard errors (docs/decisions/0082-off-policy.md).
 *
 * Rows of one unit are one observation throughout.
 */
export function judgeChallenger(input: GateInput): GateResult {
  const { evidence, challenger, names, calibration_error, margin = 0 } = input;
  const units = new Set(evidence.units).size;
  if (units < 2) return nothingToJudgeBy(names, evidence.rows);
  const { ess, max_weight, mean_weight, mean_weight_error } = estimate(evidence, challenger, input.q);
  const valued = valuesOf(input);
  const gain = gainOver(valued.champion, valued, input);
  const best = bestFixed(valued, input);
  const needed = Math.max(LEAST_UNITS, LEAST_SHARE_OF_UNITS * units);
  const harms = input.guardrails.map((guardrail, i) =>
    harmOf(guardrail, evidence.guardrails[i] as Float64Array, input),
  );
  const failed = [
    !(gain.mean > 0) && `it does not beat ${names.champion}`,
    gain.mean > 0 && !(gain.lower > -margin) && unclear(`better than ${names.champion}`, gain.lower, -margin),
    best !== null && !(best.gain.lower > 0) && notBetterThanFixed(best, valued.challenger.mean),
    ess < needed &&
      `these decisions say as much about it as ${count(ess)} units of its own, and ${count(needed)} are needed`,
    max_weight > MAX_WEIGHT &&
      `a single decision has the weight ${max_weight.toFixed(0)}, and ${MAX_WEIGHT} is the most`,
    Math.abs(mean_weight - 1) > WEIGHT_ERRORS * mean_weight_error + ROUNDING &&
      `the weights average ${mean_weight.toFixed(3)}, more than ${WEIGHT_ERRORS} standard errors from 1: the stored probabilities do not fit what was served`,
    !(calibration_error <= MAX_CALIBRATION_ERROR) &&
      `its probabilities are off by ${amount(calibration_error)} on average, and ${MAX_CALIBRATION_ERROR} is the most`,
    ...harms.map(({ ok, words }) => !ok && words),
  ].filter((words) => words !== false);
  const promote = failed.length === 0;
  const compared =
    `On ${count(evidence.rows)} held-out decisions of ${count(units)} units ${names.challenger} is worth ${amount(valued.challenger.mean)} a decision and ${names.champion} ${amount(valued.champion.mean)}: ` +
    `a gain of ${signed(gain.mean)} (90 % interval ${signed(gain.lower)} to ${signed(gain.mean + ERRORS * gain.error)}).`;
  const why = promote
    ? `Promoted: it beats ${names.champion}${best === null ? "" : ` and every fixed variant (the best, "${best.arm}", is worth ${amount(best.value)})`}, and nothing speaks against it.`
    : `Not promoted: ${failed.join("; ")}.`;
  return {
    promote,
    verdict: `${compared} ${why}`,
    report: {
      decisions: evidence.rows,
      units,
      champion: { name: names.champion, value: valued.champion.mean, error: valued.champion.error },
      challenger: { name: names.challenger, value: valued.challenger.mean, error: valued.challenger.error },
      gain: { value: gain.mean, error: gain.error, lower_bound: gain.lower, margin },
      best_fixed:
        best === null
          ? null
          : { variant: best.arm, value: best.value, gain: best.gain.mean, lower_bound: best.gain.lower },
      fixed: Object.fromEntries(valued.fixed.map(({ arm, mean }) => [arm, mean])),
      effective_units: ess,
      needed_units: needed,
      max_weight,
      mean_weight,
      mean_weight_error,
      calibration_error,
      guardrails: harms.map(({ report }) => report),
      failed,
    },
  };
}

function nothingToJudgeBy(names: GateInput["names"], rows: number): GateResult {
  return {
    promote: false,
    verdict: `Not promoted: there are ${rows === 0 ? "no held-out decisions" : "held-out decisions of one unit only"} to compare ${names.challenger} with ${names.champion} on. At least ${LEAST_UNITS} units with a drawn decision are needed.`,
    report: { decisions: rows },
  };
}

interface Valued {
  readonly rows: Float64Array;
  readonly mean: number;
  readonly error: number;
}

interface Values {
  readonly champion: Valued;
  readonly challenger: Valued;
  /** "Always this variant", of every variant that was ever served. */
  readonly fixed: readonly (Valued & { readonly arm: string })[];
}

function valuesOf({ evidence, champion, challenger, q }: GateInput): Values {
  const valued = (policy: Float64Array): Valued => {
    const rows = doublyRobust(evidence, evidence.rewards, policy, q);
    return { rows, ...meanByUnit(rows, evidence.units) };
  };
  const served = new Set(evidence.actions);
  return {
    champion: valued(champion),
    challenger: valued(challenger),
    // Of a variant nobody was served, q alone would speak.
    fixed: evidence.arms.flatMap((arm, i) => (served.has(i) ? [{ arm, ...valued(always(i, evidence)) }] : [])),
  };
}

function always(arm: number, { arms, rows }: Evidence): Float64Array {
  const policy = new Float64Array(rows * arms.length);
  for (let cell = arm; cell < policy.length; cell += arms.length) policy[cell] = 1;
  return policy;
}

interface Gain {
  /** Of the challenger, positive when it is better. */
  readonly mean: number;
  readonly error: number;
  readonly lower: number;
}

function gainOver(other: Valued, { challenger }: Values, { evidence, direction = "increase" }: GateInput): Gain {
  const sign = direction === "increase" ? 1 : -1;
  const differences = challenger.rows.map((value, row) => sign * (value - (other.rows[row] as number)));
  const { mean, error } = meanByUnit(differences, evidence.units);
  return { mean, error, lower: mean - ERRORS * error };
}

interface BestFixed {
  readonly arm: string;
  readonly value: number;
  readonly gain: Gain;
}

/** null: no variant was served that still exists. */
function bestFixed(values: Values, input: GateInput): BestFixed | null {
  let best: BestFixed | null = null;
  for (const fixed of values.fixed) {
    const gain = gainOver(fixed, values, input);
    // The better the fixed arm, the smaller the challenger's gain over it.
    if (best === null || gain.mean < best.gain.mean) best = { arm: fixed.arm, value: fixed.mean, gain };
  }
  return best;
}

function notBetterThanFixed({ arm, value, gain }: BestFixed, challenger: number): string {
  const found = `"${arm}" for everyone is worth ${amount(value)} against its ${amount(challenger)}, a gain of ${signed(gain.mean)}`;
  return gain.mean > 0
    ? `it is not clearly better than plain rollout: ${found} whose lower bound is ${signed(gain.lower)}`
    : `it does not beat plain rollout: ${found}`;
}

function unclear(what: string, lower: number, wanted: number): string {
  return `it is not clearly ${what}: the gain's lower bound is ${signed(lower)}, and it must be above ${signed(wanted)}`;
}

/**
 * The share of decisions with the guardrail's events under the challenger, less under the champion, less the tolerated part of
 * the champion's: harm is excluded when the upper bound of that is at most 0. One statistic, so that the uncertainty of
 * what is tolerated counts as well.
 */
function harmOf(
  { name, harmful, margin }: GateGuardrail,
  outcomes: Float64Array,
  { evidence, champion, challenger, names }: GateInput,
) {
  const q = armMeans(evidence, outcomes);
  const before = doublyRobust(evidence, outcomes, champion, q);
  const after = doublyRobust(evidence, outcomes, challenger, q);
  const sign = harmful === "increase" ? 1 : -1;
  const beyond = before.map((value, row) => sign * ((after[row] as number) - value) - margin * value);
  const { mean, error } = meanByUnit(beyond, evidence.units);
  const upper = mean + ERRORS * error;
  const was = meanByUnit(before, evidence.units).mean;
  const is = meanByUnit(after, evidence.units).mean;
  const ok = upper <= ROUNDING;
  return {
    ok,
    words: `the guardrail "${name}" may be harmed: ${amount(is)} against ${amount(was)} under ${names.champion}, and a change beyond the tolerated ${percent(margin)} cannot be ruled out`,
    report: { name, harmful, margin, champion: was, challenger: is, upper_bound: upper, ok },
  };
}
