import { count, percent } from "./in-words.ts";
import type { Refusal, ReplayResult } from "./replay-result.ts";

type Described = ReplayResult["evidence"];

export interface Refused {
  readonly code: Refusal;
  /** What was found and what would work: continues a sentence. */
  readonly why: string;
}

/** The policy may give this share of the decisions to variants that had no chance of being drawn. */
const MOST_NEVER_DRAWN = 0.01;
const LEAST_UNITS = 100;
const LEAST_SHARE_OF_UNITS = 0.01;
/** The mean weight may be this many standard errors from 1. */
const WEIGHT_ERRORS = 3;
/** Exploration that is recommended. */
const EXPLORATION = 0.1;
const ROUNDING = 1e-9;

/** How many effective units a replay of this many needs. */
export function neededUnits(units: number): number {
  return Math.max(LEAST_UNITS, LEAST_SHARE_OF_UNITS * units);
}

/** Why logged decisions do not carry the question what a policy would have done; null: they do. */
export function refuseReplay(found: Described, arms: readonly string[]): Refused | null {
  if (found.decisions === 0) return nothingDrawn(found.left_out);
  return neverDrawn(found, arms) ?? tooLittle(found, arms) ?? wrongPropensities(found);
}

function nothingDrawn({ without_propensity, certain, immature, policy_unknown }: Described["left_out"]): Refused {
  if (policy_unknown > 0)
    return {
      code: "policy_unknown",
      why: `what it would serve can be known for none of the ${count(policy_unknown)} drawn decisions: it asks a step that answers later, or serves a variant that does not exist.`,
    };
  if (immature > 0 || certain + without_propensity === 0)
    return {
      code: "no_decisions",
      why:
        immature > 0
          ? `the outcome of none of the ${count(immature)} drawn decisions of this time is known yet. Wait until the objective's window and grace have passed, or ask about an earlier time.`
          : "there are no stored decisions of this time. Ask about a longer one, or wait for the first users.",
    };
  const found = [
    certain > 0 ? `${count(certain)} were certain` : "",
    without_propensity > 0 ? `of ${count(without_propensity)} the probabilities are not known` : "",
  ].filter((words) => words !== "");
  return {
    code: "no_draw",
    why: `none of the decisions was drawn (${found.join(", ")}), so nobody could have been served anything else. Let the feature's objective explore at ${percent(EXPLORATION)}, or roll it out to a part of the users, and ask again after some thousand decisions.`,
  };
}

function neverDrawn({ never_drawn }: Described, arms: readonly string[]): Refused | null {
  const shares = Object.entries(never_drawn);
  const missing = shares.reduce((sum, [, share]) => sum + share, 0);
  if (missing <= MOST_NEVER_DRAWN) return null;
  const which = shares.map(([variant, share]) => `${percent(share)} of them "${variant}"`).join(", ");
  const gone = shares.find(([variant]) => !arms.includes(variant));
  const remedy =
    gone === undefined
      ? `${explore(arms.length)}, then ask again.`
      : `The feature no longer has "${gone[0]}": ask about its present variants (${arms.join(", ")}).`;
  return {
    code: "never_drawn",
    why: `it serves variants in decisions where they had no chance of being drawn (${which}). ${remedy}`,
  };
}

function tooLittle(
  { units, effective_units: effective, needed_units: needed }: Described,
  arms: readonly string[],
): Refused | null {
  if (effective >= needed) return null;
  const rate = effective / units;
  const remedy =
    rate > LEAST_SHARE_OF_UNITS
      ? `About ${count((needed - effective) / rate)} more units decided as these were would do.`
      : `${explore(arms.length)}, then ask again.`;
  return {
    code: "too_little_evidence",
    why: `these ${count(units)} units say as much about it as ${count(effective)} of its own would, and ${count(needed)} are needed. ${remedy}`,
  };
}

function wrongPropensities({ mean_weight, mean_weight_error, never_drawn }: Described): Refused | null {
  // What had no chance of being drawn has no weight.
  const expected = 1 - Object.values(never_drawn).reduce((sum, share) => sum + share, 0);
  if (Math.abs(mean_weight - expected) <= WEIGHT_ERRORS * mean_weight_error + ROUNDING) return null;
  return {
    code: "wrong_propensities",
    why: `the weights average ${mean_weight.toFixed(3)} where they should average 1, more than ${WEIGHT_ERRORS} standard errors of ${mean_weight_error.toFixed(3)} away: what was served does not fit the stored probabilities, or decisions are missing. Look for lost exposures, or ask about a time without any.`,
  };
}

/** Drawn evenly among k, a variant gets f / k: that share of the decisions says as much about it as all of its own would. */
function explore(arms: number): string {
  const share = Math.min(1, Math.max(EXPLORATION, 2 * LEAST_SHARE_OF_UNITS * arms));
  return `Explore at ${percent(share)} for about ${count((LEAST_UNITS * arms) / share)} more decisions`;
}
