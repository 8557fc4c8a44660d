import { hashUnit, prepareSeed, type Seed } from "../bucketing/murmur3.ts";
import type { CompleteObjective } from "../feature/objective.ts";

/** One probability an arm, in the order of the arms; they sum to 1. */
export type Probabilities = Readonly<ArrayLike<number>>;

/** Which arm a unit is given. One object, written over by the next call. */
export interface Assigned {
  /** Index of the arm. */
  arm: number;
  /** Where the draw fell, 0..1; NaN when nothing was drawn. */
  u: number;
}

/** How a learning step divides its users: who is held out for ever, who explores, and whom the policy serves. */
export interface Assignment {
  /** For ever: the same users whatever the model, and whatever the day. */
  isHeldOut(unit: string): boolean;
  /** A held-out user's arm: the safe one for half of them, else any. */
  holdOut(unit: string): Assigned;
  /** The policy's arm, or one explored. The same one all through an epoch as long as the policy is the same. */
  draw(unit: string, now: number, policy: Probabilities): Assigned;
  /** Over all draws: (1 - h - f) policy + f / K + h (1 / 2K, and 1/2 for the safe arm). null: the policy abstains. */
  marginal(arm: number, policy: Probabilities | null): number;
}

const DAY = 86_400_000;
const HASHES = 0x1_0000_0000;

/**
 * Deterministic and auditable: whoever knows seed, unit and epoch can repeat each draw (docs/decisions/0084-propensities.md).
 *
 * @param arms variants in their order; `objective` null: nobody is held out and nothing explored
 */
export function createAssignment(
  featureKey: string,
  arms: readonly string[],
  objective: CompleteObjective | null,
): Assignment {
  const count = arms.length;
  const h = objective?.holdout ?? 0;
  const f = objective === null || objective.exploration === "frozen" ? 0 : objective.exploration;
  const safe = objective === null ? -1 : arms.indexOf(objective.safe_variant);
  const held = prepareSeed(`${featureKey}#holdout`);
  const heldArm = prepareSeed(`${featureKey}#holdout-arm`);
  const length = epochLength(objective?.window_seconds);
  let epoch = Number.NaN;
  let seed: Seed = heldArm;
  const assigned: Assigned = { arm: 0, u: Number.NaN };

  const marginal = (arm: number, policy: Probabilities | null): number => {
    const kept = safe === -1 ? h / count : h * (0.5 / count + (arm === safe ? 0.5 : 0));
    return policy === null ? kept : (1 - h - f) * (policy[arm] as number) + f / count + kept;
  };
  return {
    isHeldOut: (unit) => h > 0 && shareOf(held, unit) < h,
    holdOut(unit) {
      const u = shareOf(heldArm, unit);
      assigned.u = u;
      // The lower half is the safe arm's, the upper half is divided evenly.
      if (safe === -1) assigned.arm = Math.min(count - 1, Math.floor(u * count));
      else assigned.arm = u < 0.5 ? safe : Math.min(count - 1, Math.floor((u - 0.5) * 2 * count));
      return assigned;
    },
    draw(unit, now, policy) {
      const sure = f === 0 ? certain(policy, count) : -1;
      if (sure !== -1) {
        assigned.arm = sure;
        assigned.u = Number.NaN;
      } else {
        const today = Math.floor(now / length);
        if (today !== epoch) {
          epoch = today;
          seed = prepareSeed(`${featureKey}#draw/${today}`);
        }
        const u = shareOf(seed, unit);
        assigned.u = u;
        assigned.arm = pick(u * (1 - h), (arm) => (1 - h - f) * (policy[arm] as number) + f / count, count);
      }
      return assigned;
    },
    marginal,
  };
}

/** Milliseconds of an epoch: whole UTC days, no shorter than the window, so that a unit's outcomes hardly ever overlap. */
export function epochLength(windowSeconds: number | undefined): number {
  return Math.max(1, Math.ceil(((windowSeconds ?? 0) * 1000) / DAY)) * DAY;
}

function shareOf(seed: Seed, unit: string): number {
  return hashUnit(seed, unit) / HASHES;
}

/** The arm that has all the probability; -1: none has. */
function certain(policy: Probabilities, count: number): number {
  for (let arm = 0; arm < count; arm++) if (policy[arm] === 1) return arm;
  return -1;
}

/** The inverse of the cumulated weights at u. */
function pick(u: number, weight: (arm: number) => number, count: number): number {
  let sum = 0;
  let last = 0;
  for (let arm = 0; arm < count; arm++) {
    const w = weight(arm);
    if (w <= 0) continue;
    sum += w;
    last = arm;
    if (u < sum) return arm;
  }
  // Only rounding leads here: the weights sum to a little less than u's range.
  return last;
}
