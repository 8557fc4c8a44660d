import type { CompleteObjective } from "../feature/objective.ts";
import { count, percent } from "../off-policy/in-words.ts";
import type { GroupOutcome, Groups, HoldoutCounts } from "./holdout-counts.ts";
import type { GuardrailLift, HoldoutLift } from "./holdout-lift.ts";
import { type Lift, lift } from "./lift.ts";
import { proportions } from "./proportions.ts";
import type { Sample } from "./sample.ts";
import { sampleRatioPValue } from "./sample-ratio.ts";

type Compared = Pick<
  HoldoutLift,
  | "absolute_lift"
  | "interval"
  | "relative_lift"
  | "relative_interval"
  | "p_value"
  | "sample_ratio"
  | "guardrails"
  | "verdict"
  | "message"
>;

/** One in a thousand would be as far from its weights by chance. */
const SAMPLE_RATIO_ALARM = 0.001;
/** Below these a group's normal interval means little, and neither "lifts" nor "worse" is said. */
const LEAST_USERS = 100;
const LEAST_OUTCOMES = 10;
/** Two-sided 95 %, found with a probability of 80 %. */
const ERRORS_TO_FIND = 1.96 + 0.842;
/** Relative to the mean: what is looked for while no lift as large as the second is in sight. */
const WORTH_FINDING = 0.1;
const IN_SIGHT = 0.01;

/**
 * What the groups' outcomes say: `lifts` or `worse` when the 95 % interval lies wholly on one side of 0, by the objective's
 * direction. The interval is right for one look; who looks every day and stops at the first success is wrong more often.
 *
 * @param objective null: the feature has none
 */
export function compareWithHoldout(
  { objective: groups, guardrails, immature_users }: HoldoutCounts,
  objective: CompleteObjective | null,
): Compared {
  const numeric = (objective?.value ?? null) !== null;
  const difference = compare(groups, numeric);
  const share = objective?.holdout ?? 0;
  const sampleRatio = share > 0 ? checkSampleRatio(groups, share) : null;
  const watched = (objective?.guardrails ?? []).map((guardrail, i) => watch(guardrail, guardrails[i] as Groups));
  return {
    ...difference,
    sample_ratio: sampleRatio,
    guardrails: watched,
    ...judge({ groups, difference, objective, sampleRatio, immature_users, watched }),
  };
}

type Difference = Pick<Compared, "absolute_lift" | "interval" | "relative_lift" | "relative_interval" | "p_value">;

function compare({ model, holdout }: Groups, numeric: boolean): Difference {
  const known = model.users > 0 && holdout.users > 0;
  const before = meanOf(holdout);
  const difference = known ? (meanOf(model) as number) - (before as number) : null;
  const samples = numeric ? means(holdout, model) : proportions(toYeses(holdout), toYeses(model));
  const test = (differenceType: "absolute" | "relative"): Lift | undefined => {
    const found = samples && lift(samples[0], samples[1], { differenceType });
    return found?.error === null ? found : undefined;
  };
  const absolute = test("absolute");
  const relative = before === null || before === 0 ? undefined : test("relative");
  return {
    absolute_lift: difference,
    interval: absolute?.ci ?? null,
    relative_lift: difference === null || before === null || before === 0 ? null : difference / Math.abs(before),
    relative_interval: relative?.ci ?? null,
    p_value: absolute?.pValue ?? null,
  };
}

function means(control: GroupOutcome, arm: GroupOutcome): readonly [Sample, Sample] | undefined {
  if (control.users < 2 || arm.users < 2) return undefined;
  const sample = ({ users, sum, squares }: GroupOutcome): Sample => ({
    type: "mean",
    n: users,
    sum,
    sumSquares: squares,
  });
  return [sample(control), sample(arm)];
}

function toYeses({ users, reached }: GroupOutcome) {
  return { users, positives: reached };
}

export function meanOf({ users, sum }: Pick<GroupOutcome, "users" | "sum">): number | null {
  return users === 0 ? null : sum / users;
}

function checkSampleRatio({ model, holdout }: Groups, share: number): NonNullable<HoldoutLift["sample_ratio"]> {
  const p_value = sampleRatioPValue([model.users, holdout.users], [1 - share, share]);
  const ok = p_value >= SAMPLE_RATIO_ALARM;
  if (model.users + holdout.users === 0)
    return { p_value, ok, message: "Nobody counts yet: there are no groups to compare." };
  const found = `${count(holdout.users)} of ${count(model.users + holdout.users)} users are held out, where the objective says ${percent(share)}`;
  return {
    p_value,
    ok,
    message: ok
      ? `The groups have the sizes they should: ${found}.`
      : `The groups do not have the sizes they should: ${found} (by chance with probability ${p_value.toExponential(1)}). Decisions are lost in one of them, or the holdout was changed within the period: then ask from a later time.`,
  };
}

function watch(
  { event_types, harmful, margin }: CompleteObjective["guardrails"][number],
  groups: Groups,
): GuardrailLift {
  const { absolute_lift, interval, relative_lift, relative_interval } = compare(groups, false);
  return {
    event_types,
    harmful,
    margin,
    model: meanOf(groups.model),
    holdout: meanOf(groups.holdout),
    absolute_change: absolute_lift,
    interval,
    relative_change: relative_lift,
    relative_interval,
    verdict: relative_interval === null ? "unclear" : judgeHarm(relative_interval, harmful, margin),
  };
}

function judgeHarm(
  [low, high]: readonly [number, number],
  harmful: "increase" | "decrease",
  margin: number,
): GuardrailLift["verdict"] {
  const [least, most] = harmful === "increase" ? [low, high] : [-high, -low];
  if (least > margin) return "harm";
  return most <= margin ? "ok" : "unclear";
}

interface Judged {
  readonly groups: Groups;
  readonly difference: Difference;
  readonly objective: CompleteObjective | null;
  readonly sampleRatio: HoldoutLift["sample_ratio"];
  readonly immature_users: number;
  readonly watched: readonly GuardrailLift[];
}

function judge(judged: Judged): Pick<HoldoutLift, "verdict" | "message"> {
  const { groups, difference, objective, sampleRatio } = judged;
  if (objective === null)
    return {
      verdict: "no_holdout",
      message: "The feature has no holdout, so nobody can say what its model adds: set an objective",
    };
  if (objective.holdout === 0)
    return {
      verdict: "no_holdout",
      message: "The objective holds nobody out, so nobody can say what the model adds: set its holdout above 0",
    };
  if (sampleRatio?.ok === false) return { verdict: "sample_ratio_mismatch", message: sampleRatio.message };
  const { interval } = difference;
  const better = objective.direction === "increase" ? 1 : -1;
  if (interval === null || !isEnough(groups) || (interval[0] <= 0 && interval[1] >= 0))
    return { verdict: "no_evidence", message: `No evidence yet: ${missing(judged)}${harms(judged)}` };
  const lifts = (interval[0] > 0 ? 1 : -1) === better;
  const what = lifts ? "The model lifts the objective" : "The model is worse than no model";
  return { verdict: lifts ? "lifts" : "worse", message: `${what}: ${found(judged)}.${harms(judged)}` };
}

function isEnough({ model, holdout }: Groups): boolean {
  return [model, holdout].every(({ users, reached }) => users >= LEAST_USERS && reached >= LEAST_OUTCOMES);
}

/** Both groups' outcomes, and the difference with its interval. */
function found({ groups: { model, holdout }, difference, objective }: Judged): string {
  const numeric = objective?.value !== null;
  const of = (group: GroupOutcome) => {
    const mean = meanOf(group) ?? 0;
    return `${numeric ? `${mean.toPrecision(4)} on average` : `${(mean * 100).toFixed(2)} %`} of ${count(group.users)}`;
  };
  const by = (change: number) => (numeric ? change.toPrecision(3) : (change * 100).toFixed(2));
  const groups = `${of(model)} users against ${of(holdout)} held out`;
  const { absolute_lift, interval, relative_lift } = difference;
  if (absolute_lift === null || interval === null) return groups;
  const unit = numeric ? "" : " percentage points";
  const relative = relative_lift === null ? "" : `, ${(relative_lift * 100).toFixed(1)} % relative`;
  return `${groups}, a difference of ${by(absolute_lift)}${unit}${relative} (95 % interval ${by(interval[0])} to ${by(interval[1])})`;
}

function missing(judged: Judged): string {
  const { groups, immature_users } = judged;
  const { model, holdout } = groups;
  if (model.users + holdout.users === 0)
    return immature_users === 0
      ? "no user was decided for in this period."
      : `${count(immature_users)} users were decided for, and for none of them the objective's window has passed.`;
  if (model.sum + holdout.sum === 0)
    return `none of ${count(model.users + holdout.users)} users has reached the objective.`;
  const { size, users } = stillNeeded(judged);
  const wanted =
    users === 0
      ? `A difference of ${percent(size)} would have shown by now`
      : `To tell a difference of ${percent(size)} from chance, it needs about ${count(users)} more users in the holdout`;
  return `${found(judged)}. ${wanted}.`;
}

/**
 * How many more users in the holdout, the model group growing with it, would find what is to be found four times out of five:
 * the difference seen so far when it is in the right direction, else a tenth of the mean. `size` is relative to the mean.
 */
function stillNeeded({ groups: { model, holdout }, difference, objective }: Judged): { size: number; users: number } {
  const users = model.users + holdout.users;
  const mean = (model.sum + holdout.sum) / users;
  const spread = Math.max(0, (model.squares + holdout.squares) / users - mean ** 2);
  const turned = (difference.absolute_lift ?? 0) * (objective?.direction === "decrease" ? -1 : 1);
  const size = turned > IN_SIGHT * mean ? turned : WORTH_FINDING * mean;
  const share = objective?.holdout ?? 0;
  const needed = Math.max(
    (ERRORS_TO_FIND / size) ** 2 * (spread / (1 - share)),
    LEAST_USERS,
    (LEAST_OUTCOMES * users) / (model.reached + holdout.reached),
  );
  return { size: size / mean, users: roughly(Math.max(0, needed - holdout.users)) };
}

/** To two digits, upwards. */
function roughly(number: number): number {
  if (number <= 0) return 0;
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(number)) - 1);
  return Math.ceil(number / digit) * digit;
}

function harms({ watched }: Judged): string {
  return watched
    .filter(({ verdict }) => verdict === "harm")
    .map(
      ({ event_types, harmful, relative_change, margin }) =>
        ` But ${event_types.join(" or ")} did harm: ${harmful === "increase" ? "more" : "fewer"} users by ${percent(Math.abs(relative_change ?? 0))}, and ${percent(margin)} is tolerated.`,
    )
    .join("");
}
