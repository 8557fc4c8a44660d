import { z } from "zod";
import { Unit } from "../../core/bucketing/split.ts";

export const Config = z.strictObject({
  /**
   * squarecb: an arm is the less likely the more it seems to lose. thompson: as likely as it is the best. linucb: the arm with
   * the highest upper bound. epsilon-greedy: the best but for a share. thompson-no-context: thompson, the same for everybody.
   */
  policy: z.enum(["squarecb", "thompson", "linucb", "epsilon-greedy", "thompson-no-context"]).default("squarecb"),
  /** Variants to choose from. Default: all of the feature's. */
  arms: z
    .array(z.string().min(1).max(100))
    .min(2)
    .max(100)
    .refine((arms) => new Set(arms).size === arms.length, { message: "Names a variant twice" })
    .optional(),
  /** Who is given an arm: the first of these attributes the user has. */
  unit: Unit.default(["user_id"]),
  /** Only for squarecb: greed is gamma0 times the square root of the outcomes known. */
  gamma0: z.number().positive().max(1e6).default(50),
  /** Only for linucb: standard errors by which the upper bound lies above the estimate. */
  alpha: z.number().min(0).max(100).default(1),
  /** Only for epsilon-greedy: share drawn evenly, besides what the objective explores. */
  epsilon: z.number().min(0).max(1).default(0),
  /** A model older than this no longer decides. Default: the objective's, else 7 days. */
  max_age_seconds: z.number().positive().optional(),
});
export type Config = z.infer<typeof Config>;
