import tCdf from "@stdlib/stats-base-dists-t-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { type Estimate, estimateArms, quadraticForm } from "./estimate.ts";
import type { Sample } from "./sample.ts";

export interface LiftOptions {
  /**
   * relative: (B - A) / |A|. absolute: B - A. scaled: what B instead of A for everybody would add a day; needs `traffic`
   * and a metric that adds up over users (not a ratio).
   */
  readonly differenceType: "relative" | "absolute" | "scaled";
  /** two: B differs. greater: B is greater. lesser: B is smaller. Default two. */
  readonly alternative?: "two" | "greater" | "lesser";
  /** The interval covers the truth in a share of 1 - alpha of experiments. Default 0.05. */
  readonly alpha?: number;
  /** `share` of all users who were in the experiment, 0..1; `users` and `days` that it counted. */
  readonly traffic?: { readonly users: number; readonly days: number; readonly share: number };
}

export interface Lift {
  readonly estimate: number;
  readonly ci: readonly [low: number, high: number];
  readonly pValue: number;
  readonly stderr: number;
  /** zero_variance: an arm does not vary, or has too few users. zero_baseline: relative to a control of 0. Else null. */
  readonly error: "zero_variance" | "zero_baseline" | null;
}

/**
 * Welch's t-test of treatment against control, with the delta method for ratios, adjusted means and relative lift. With an
 * error there is no evidence either way: estimate 0, interval [0, 0], p-value 1.
 *
 * The interval is right for one look at a size chosen beforehand; looking often and stopping at the first success finds
 * effects that are not there. Throws a TypeError for samples that cannot be compared and for scaled lift without traffic.
 */
export function lift(control: Sample, treatment: Sample, options: LiftOptions): Lift {
  const { alternative = "two", alpha = 0.05, differenceType } = options;
  const arms = estimateArms(control, treatment);
  const spread = { control: userVariance(arms.control), treatment: userVariance(arms.treatment) };
  if (!(spread.control > 0 && spread.treatment > 0)) return nothing("zero_variance");
  if (differenceType === "relative" && arms.control.raw === 0) return nothing("zero_baseline");
  const difference =
    differenceType === "relative" ? relative(arms.control, arms.treatment) : absolute(arms.control, arms.treatment);
  const scale = differenceType === "scaled" ? dailyUsers(control, options) : 1;
  const estimate = difference.estimate * scale;
  const stderr = Math.sqrt(difference.variance) * scale;
  if (!(stderr > 0)) return nothing("zero_variance");
  const freedom = welch(spread.control / control.n, control.n, spread.treatment / treatment.n, treatment.n);
  return {
    estimate,
    stderr,
    error: null,
    ...test(estimate, stderr, freedom, alternative, alpha),
  };
}

function nothing(error: "zero_variance" | "zero_baseline"): Lift {
  return { estimate: 0, ci: [0, 0], pValue: 1, stderr: 0, error };
}

function userVariance(arm: Estimate): number {
  return quadraticForm(arm.gradient, arm.covariance);
}

function absolute(control: Estimate, treatment: Estimate): { estimate: number; variance: number } {
  return {
    estimate: treatment.value - control.value,
    variance: userVariance(treatment) / treatment.n + userVariance(control) / control.n,
  };
}

/** (B - A) / |A|, by what was measured of A: an adjustment moves the difference, not the base. */
function relative(control: Estimate, treatment: Estimate): { estimate: number; variance: number } {
  const base = Math.abs(control.raw);
  const difference = treatment.value - control.value;
  const slopeOfBase = ((treatment.centre - control.centre) * Math.sign(control.raw)) / base ** 2;
  const treatmentGradient = treatment.gradient.map((slope) => slope / base);
  const controlGradient = control.gradient.map(
    (slope, index) => -slope / base - slopeOfBase * (control.rawGradient[index] ?? 0),
  );
  return {
    estimate: difference / base,
    variance:
      quadraticForm(treatmentGradient, treatment.covariance) / treatment.n +
      quadraticForm(controlGradient, control.covariance) / control.n,
  };
}

function dailyUsers(control: Sample, { traffic }: LiftOptions): number {
  if (traffic === undefined)
    throw new TypeError(
      "Cannot scale a lift without traffic: give users, days and the share of users in the experiment",
    );
  if (control.type === "ratio" || control.type === "cupedRatio")
    throw new TypeError("Cannot scale a ratio to all users: scale its numerator instead");
  return traffic.users / (traffic.share * traffic.days);
}

/** Welch-Satterthwaite degrees of freedom from the variances of the two means. */
function welch(control: number, controlUsers: number, treatment: number, treatmentUsers: number): number {
  return (control + treatment) ** 2 / (control ** 2 / (controlUsers - 1) + treatment ** 2 / (treatmentUsers - 1));
}

function test(
  estimate: number,
  stderr: number,
  freedom: number,
  alternative: "two" | "greater" | "lesser",
  alpha: number,
): Pick<Lift, "ci" | "pValue"> {
  const t = estimate / stderr;
  // The lower tail at -t is the upper tail at t, without the digits 1 - cdf(t) would lose.
  switch (alternative) {
    case "two": {
      const width = tQuantile(1 - alpha / 2, freedom) * stderr;
      return { ci: [estimate - width, estimate + width], pValue: 2 * tCdf(-Math.abs(t), freedom) };
    }
    case "greater": {
      const width = tQuantile(1 - alpha, freedom) * stderr;
      return { ci: [estimate - width, Number.POSITIVE_INFINITY], pValue: tCdf(-t, freedom) };
    }
    case "lesser": {
      const width = tQuantile(1 - alpha, freedom) * stderr;
      return { ci: [Number.NEGATIVE_INFINITY, estimate + width], pValue: tCdf(t, freedom) };
    }
  }
}
