import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Pmf } from "../engine/distribution.ts";
import { armMeans } from "./arm-means.ts";
import { doublyRobust, estimate, meanByUnit } from "./estimators.ts";
import { type Evidence, evidenceBuilder } from "./evidence.ts";
import { amount, count, percent, signed } from "./in-words.ts";
import type { LoggedRow } from "./logged-row.ts";
import { neededUnits, refuseReplay } from "./refuse-replay.ts";
import type { Compared, ReplayResult, Value } from "./replay-result.ts";

export interface ReplayOptions {
  /** The feature's variants. */
  readonly arms: readonly string[];
  /** What is asked about, to be named in the verdict: `always "on"`. */
  readonly policy: string;
  /** Which way the objective is better. Default increase. */
  readonly direction?: "increase" | "decrease";
  /** How many guardrails a row has. Default 0. */
  readonly guardrails?: number;
  /** Of the intervals, 0..1. Default 0.95. */
  readonly level?: number;
  /** What was left out before: for the verdict. */
  readonly left_out?: Partial<ReplayResult["evidence"]["left_out"]>;
}

export interface Replay {
  /** One decision, and what the policy would have served there; null when that is not known. */
  add(row: LoggedRow, policy: Pmf | null): void;
  result(): ReplayResult;
}

/** All rows at once; see `createReplay`. */
export function replayPolicy(
  rows: Iterable<LoggedRow>,
  policy: (row: LoggedRow) => Pmf | null,
  options: ReplayOptions,
): ReplayResult {
  const replay = createReplay(options);
  for (const row of rows) replay.add(row, policy(row));
  return replay.result();
}

/**
 * What would have happened if another policy had decided. Rows go in one by one and are kept as a few numbers each. Only
 * decisions that were drawn say anything about another draw; the others are left out and counted.
 *
 * Refuses in words where the evidence does not carry the question, and says what would (docs/decisions/0082-off-policy.md).
 */
export function createReplay(options: ReplayOptions): Replay {
  const { arms, guardrails = 0, left_out } = options;
  const builder = evidenceBuilder(arms, guardrails);
  const neverDrawn = new Map<string, number>();
  const left = { without_propensity: 0, certain: 0, immature: 0, policy_unknown: 0, ...left_out };
  let rows = 0;

  return {
    add(row, policy) {
      if (row.probability > 1 - ROUNDING) left.certain++;
      else if (policy === null) left.policy_unknown++;
      else {
        rows++;
        builder.add(row, [policy]);
        for (const variant of Object.keys(policy)) {
          const mass = policy[variant] as number;
          if (mass > ROUNDING && !((row.probabilities[variant] ?? 0) > 0))
            neverDrawn.set(variant, (neverDrawn.get(variant) ?? 0) + mass);
        }
      }
    },
    result() {
      const { evidence, policies } = builder.build();
      const shares = new Map([...neverDrawn].map(([variant, mass]) => [variant, mass / rows]));
      const found = { evidence, policy: policies[0] ?? new Float64Array(0), left, neverDrawn: shares };
      return conclude(found, options);
    },
  };
}

const ROUNDING = 1e-9;

interface Found {
  readonly evidence: Evidence;
  /** rows x arms */
  readonly policy: Float64Array;
  readonly left: ReplayResult["evidence"]["left_out"];
  /** Share of the decisions, by variant. */
  readonly neverDrawn: ReadonlyMap<string, number>;
}

function conclude(found: Found, options: ReplayOptions): ReplayResult {
  const { evidence, policy, left, neverDrawn } = found;
  const { level = 0.95 } = options;
  const units = evidence.units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const q = armMeans(evidence, evidence.rewards);
  const estimates = evidence.rows === 0 ? null : estimate(evidence, policy, q);
  const described = {
    decisions: evidence.rows,
    units,
    effective_units: estimates?.ess ?? 0,
    needed_units: neededUnits(units),
    max_weight: estimates?.max_weight ?? 0,
    mean_weight: estimates?.mean_weight ?? 0,
    // JSON has no infinity; one unit is refused anyway.
    mean_weight_error: estimates === null || units < 2 ? 0 : estimates.mean_weight_error,
    never_drawn: Object.fromEntries(neverDrawn),
    left_out: { ...left },
  };
  const refused = refuseReplay(described, options.arms);
  if (estimates === null || refused !== null)
    return {
      answered: false,
      refusal: refused?.code ?? null,
      verdict: `Cannot say what ${options.policy} would have done: ${refused?.why}`,
      level,
      outcome: null,
      estimates: null,
      guardrails: [],
      evidence: described,
    };
  const width = tQuantile((1 + level) / 2, Math.max(1, estimates.ess - 1));
  const missing = sumOf(neverDrawn.values());
  const how = { policy, width, missing };
  const outcome = compare(evidence, evidence.rewards, q, how);
  const { ips, ips_error, snips, snips_error, dr, dr_error } = estimates;
  return {
    answered: true,
    refusal: null,
    verdict: inWords(outcome, described, options, level),
    level,
    outcome,
    estimates: {
      ips: around(ips, width * ips_error + missing),
      snips: around(snips, width * snips_error + missing),
      dr: around(dr, width * dr_error + missing),
    },
    guardrails: evidence.guardrails.map((harm) => compare(evidence, harm, armMeans(evidence, harm), how)),
    evidence: described,
  };
}

interface Comparison {
  readonly policy: Float64Array;
  /** Half of an interval, in standard errors. */
  readonly width: number;
  /** Share of the policy that had no chance of being drawn: its outcome may be anything in 0..1. */
  readonly missing: number;
}

/** Doubly robust, against what came of the same decisions: their noise is shared and drops out of the difference. */
function compare(
  evidence: Evidence,
  rewards: Float64Array,
  q: Float64Array,
  { policy, width, missing }: Comparison,
): Compared {
  const values = doublyRobust(evidence, rewards, policy, q);
  const interval = (of: Float64Array, more: number) => {
    const { mean, error } = meanByUnit(of, evidence.units);
    return around(mean, width * error + more);
  };
  return {
    policy: interval(values, missing),
    served: interval(rewards, 0),
    difference: interval(
      values.map((value, row) => value - (rewards[row] as number)),
      missing,
    ),
  };
}

function around(value: number, half: number): Value {
  return { value, interval: [value - half, value + half] };
}

function inWords(
  { policy, served, difference }: Compared,
  { decisions, units, left_out }: ReplayResult["evidence"],
  { policy: name, direction = "increase" }: ReplayOptions,
  level: number,
): string {
  const [low, high] = difference.interval;
  const [bad, good] = direction === "increase" ? [high < 0, low > 0] : [low > 0, high < 0];
  const verdict = good ? "better than" : bad ? "worse than" : "not clearly different from";
  return (
    `${name[0]?.toUpperCase()}${name.slice(1)} would have been ${verdict} what was served: ${amount(policy.value)} a decision against ${amount(served.value)}, ` +
    `a difference of ${signed(difference.value)} (${percent(level)} interval ${signed(low)} to ${signed(high)}), ` +
    `from ${count(decisions)} decisions of ${count(units)} units.${leftOut(left_out)}`
  );
}

function leftOut(left: ReplayResult["evidence"]["left_out"]): string {
  const reasons = [
    [left.immature, "whose outcome is not known yet"],
    [left.certain, "that were certain"],
    [left.without_propensity, "that have no probabilities"],
    [left.policy_unknown, "where nobody knows what it would serve"],
  ] as const;
  const found = reasons.filter(([rows]) => rows > 0).map(([rows, which]) => `${count(rows)} ${which}`);
  return found.length === 0 ? "" : ` Left out: ${found.join(", ")}.`;
}

function sumOf(shares: Iterable<number>): number {
  let sum = 0;
  for (const share of shares) sum += share;
  return sum;
}
