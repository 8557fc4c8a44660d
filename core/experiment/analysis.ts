import type { ArmCount } from "./arm-count.ts";
import { daysLeft } from "./days-left.ts";
import type { Experiment, ExperimentArm } from "./experiment.ts";
import { lift } from "./lift.ts";
import { probabilityBest } from "./probability-best.ts";
import { proportions } from "./proportions.ts";
import type { Comparison, ExperimentResult } from "./result.ts";
import { sampleRatioPValue } from "./sample-ratio.ts";

/** Below this, an imbalance is taken for a defect: one experiment in a thousand would fall below it by chance. */
const SAMPLE_RATIO_ALARM = 0.001;

/**
 * What the counts say, for people and for machines. Once every arm has its samples, an arm is `better` when its interval
 * lies above 0 and its lift is at least `min_lift`, and `not_better` when the interval lies below `min_lift` or below 0.
 *
 * The interval is meant for one look, when the samples are in: whoever looks every day and stops at the first `better` is
 * wrong far more often than alpha says.
 *
 * @param counts by arm name; an arm without users may be missing
 * @param now milliseconds since the epoch, to tell how long it may still take. Default: nobody tells
 */
export function analyse(
  experiment: Experiment,
  counts: Readonly<Record<string, ArmCount>>,
  now?: number,
): ExperimentResult {
  const arms = experiment.arms.map((arm) => ({ ...arm, ...(counts[arm.name] ?? { users: 0, positives: 0 }) }));
  const [control, ...treatments] = arms;
  if (control === undefined) throw new TypeError(`Experiment ${experiment.id} has no arms: it needs at least two`);
  const thinnest = arms.reduce((one, other) => (other.users < one.users ? other : one));
  const thin = thinnest.users < experiment.min_samples_per_variant ? thinnest : undefined;
  const comparisons = treatments.map((arm) =>
    compare(control, arm, { ...experiment, alpha: experiment.alpha / treatments.length }, thin === undefined),
  );
  const sampleRatio = checkSampleRatio(arms);
  const first = comparisons[0];
  const decided = decide(experiment, comparisons, sampleRatio, thin);
  const open = decided.decision === "continue" && sampleRatio.ok && experiment.enabled && now !== undefined;
  const days = open ? daysLeft(experiment, counts, comparisons, { since: firstOf(counts), now }) : null;
  const best = probabilityBest(arms);
  return {
    experiment_id: experiment.id,
    experiment_name: experiment.name,
    feature_key: experiment.feature_key,
    primary_metric_event: experiment.primary_metric_event,
    variant_stats: Object.fromEntries(arms.map((arm) => [arm.name, { samples: arm.users, positives: arm.positives }])),
    rate_a: rate(control),
    rate_b: first?.rate ?? 0,
    lift_b_vs_a: first?.absolute_lift ?? 0,
    min_lift: experiment.min_lift,
    min_samples_per_variant: experiment.min_samples_per_variant,
    ...decided,
    message: days === null ? decided.message : `${decided.message} ${inDays(days)}`,
    days_left: days,
    probability_best: Object.fromEntries(arms.map(({ name }, index) => [name, best[index] as number])),
    comparisons,
    sample_ratio: sampleRatio,
  };
}

function firstOf(counts: Readonly<Record<string, ArmCount>>): number | null {
  const times = Object.values(counts).flatMap(({ first_at }) => first_at ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

function inDays(days: number): string {
  return `About ${days} more ${days === 1 ? "day" : "days"}, as users arrive now.`;
}

type CountedArm = ExperimentArm & ArmCount;

function compare(
  control: CountedArm,
  arm: CountedArm,
  { alpha, min_lift }: Pick<Experiment, "alpha" | "min_lift">,
  enough: boolean,
): Comparison {
  const difference = rate(arm) - rate(control);
  const samples = proportions(control, arm);
  const absolute = samples && lift(...samples, { differenceType: "absolute", alpha });
  const relative =
    samples && control.positives > 0 ? lift(...samples, { differenceType: "relative", alpha }) : undefined;
  return {
    arm: arm.name,
    variant: arm.variant,
    rate: rate(arm),
    absolute_lift: difference,
    interval: absolute?.ci ?? null,
    standard_error: absolute?.stderr ?? null,
    p_value: absolute?.pValue ?? null,
    relative_lift: control.positives > 0 ? difference / rate(control) : null,
    relative_interval: relative?.ci ?? null,
    confidence_level: 1 - alpha,
    verdict: enough && absolute ? judge(difference, absolute.ci, min_lift) : "undecided",
  };
}

function rate(arm: ArmCount): number {
  return arm.users === 0 ? 0 : arm.positives / arm.users;
}

function judge(difference: number, [low, high]: readonly [number, number], minLift: number): Comparison["verdict"] {
  if (low > 0 && difference >= minLift) return "better";
  return high < minLift || high < 0 ? "not_better" : "undecided";
}

function checkSampleRatio(arms: readonly CountedArm[]): ExperimentResult["sample_ratio"] {
  const pValue = sampleRatioPValue(
    arms.map((arm) => arm.users),
    arms.map((arm) => arm.weight),
  );
  const ok = pValue >= SAMPLE_RATIO_ALARM;
  const found = arms.map((arm) => `${arm.name} ${arm.users}`).join(", ");
  const expected = arms.map((arm) => `${arm.name} ${arm.weight} %`).join(", ");
  return {
    p_value: pValue,
    ok,
    message: ok
      ? `The exposed users fit the weights (${found} for ${expected}).`
      : `The exposed users do not fit the weights (${found} for ${expected}; by chance with probability ${pValue.toExponential(1)}): exposures are lost or doubled in some arm, so the rates compare different kinds of users and no number here can be trusted.`,
  };
}

function decide(
  experiment: Experiment,
  comparisons: readonly Comparison[],
  sampleRatio: ExperimentResult["sample_ratio"],
  thin: CountedArm | undefined,
): Pick<ExperimentResult, "decision" | "message"> {
  if (!sampleRatio.ok) return { decision: "continue", message: sampleRatio.message };
  if (thin !== undefined)
    return {
      decision: "continue",
      message: `Not enough yet: ${thin.users} of ${experiment.min_samples_per_variant} users in arm ${thin.name}.`,
    };
  const better = comparisons.filter(({ verdict }) => verdict === "better");
  if (better.length > 0) {
    const best = better.reduce((one, other) => (other.absolute_lift > one.absolute_lift ? other : one));
    return {
      decision: `stop_promote_${best.arm.toLowerCase()}`,
      message: `Arm ${best.arm} ("${best.variant}") is better than A: ${inWords(best)}.`,
    };
  }
  if (comparisons.every(({ verdict }) => verdict === "not_better")) {
    return {
      decision: "stop_keep_a",
      message: `No arm is better than A by the ${points(experiment.min_lift)} percentage points that would matter: ${comparisons.map(inWords).join("; ")}.`,
    };
  }
  const open = comparisons.filter(({ verdict }) => verdict === "undecided");
  return { decision: "continue", message: `Not clear yet: ${open.map(inWords).join("; ")}.` };
}

function inWords({ arm, absolute_lift, interval, confidence_level }: Comparison): string {
  const way = absolute_lift < 0 ? "less" : "more";
  const difference = `${arm} converts ${points(Math.abs(absolute_lift))} percentage points ${way} than A`;
  if (interval === null) return difference;
  const level = Number((confidence_level * 100).toFixed(2));
  return `${difference} (${level} % interval of the difference ${points(interval[0])} to ${points(interval[1])})`;
}

function points(difference: number): string {
  return (difference * 100).toFixed(2);
}
