import { z } from "zod";
import type { Problem } from "./problem.ts";

const Variance = z.number().nonnegative();

/**
 * What is added to the variance that the spread of bags shows. What too few rows show, neither a model nor any of its bags
 * has found: their spread is then right, and all of them wrong alike.
 */
export const Blind = z.object({
  /** Of the log odds. */
  level: Variance,
  /** Of their difference between two arms: each arm's part of it. */
  arms: z.array(Variance).min(1),
});
type Blind = z.infer<typeof Blind>;

/**
 * Such an effect is about as large as the mean over the rows can be told: so many times its variance, which vanishes with many
 * rows. To the log odds several columns may add theirs, and with few users what was found may be none. Measured:
 * docs/decisions/0080-boosted-trees.md.
 */
const [LEVEL, DIFFERENCE] = [6, 2];
/** Users, as many as the rows weigh, below which what was found is doubtful too. */
const FEW = 700;

/** @param rows of the problem that were fitted on */
export function blindVariances({ y, weights, arms }: Problem, rows: ArrayLike<number>): Blind {
  const sums = Array.from({ length: arms?.count ?? 1 }, () => ({ weight: 1, positive: 0.5 }));
  const all = { weight: 1, positive: 0.5 };
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const weight = weights?.[row] ?? 1;
    for (const sum of [all, sums[arms?.index[row] ?? 0] as typeof all]) {
      sum.weight += weight;
      sum.positive += weight * (y[row] as number);
    }
  }
  return {
    level: LEVEL * (1 + (FEW / all.weight) ** 2) * varianceOf(all),
    arms: sums.map((sum) => DIFFERENCE * varianceOf(sum)),
  };
}

/** Of the log odds of a mean. */
function varianceOf({ weight, positive }: { readonly weight: number; readonly positive: number }): number {
  const share = positive / weight;
  return 1 / (weight * share * (1 - share));
}

/** What is to be added to the variance of the difference between two arms. */
export function blindBetween({ arms }: Blind, arm: number, other: number): number {
  return arm === other || arms.length === 1 ? 0 : (arms[arm] as number) + (arms[other] as number);
}
