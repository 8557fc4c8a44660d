import { z } from "zod";
import { Unit } from "../../core/bucketing/split.ts";

export const Config = z.strictObject({
  policy: z
    .enum(["squarecb", "thompson", "linucb", "epsilon-greedy", "thompson-no-context"])
    .default("squarecb")
    .describe(
      "squarecb: an arm is the less likely the more it seems to lose. thompson: as likely as it is the best. linucb: the arm with the highest upper bound. epsilon-greedy: the best but for a share. thompson-no-context: thompson, the same for everybody",
    ),
  arms: z
    .array(z.string().min(1).max(100))
    .min(2)
    .max(100)
    .refine((arms) => new Set(arms).size === arms.length, { message: "Names a variant twice" })
    .optional()
    .describe("Variants to choose from. Default: all of the feature's"),
  unit: Unit.default(["user_id"]).describe("Who is given an arm: the first of these attributes the user has"),
  gamma0: z
    .number()
    .positive()
    .max(1e6)
    .default(50)
    .describe("Only for squarecb: greed is gamma0 times the square root of the outcomes known"),
  alpha: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe("Only for linucb: standard errors by which the upper bound lies above the estimate"),
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("Only for epsilon-greedy: share drawn evenly, besides what the objective explores"),
  max_age_seconds: z
    .number()
    .positive()
    .optional()
    .describe("A model older than this no longer decides. Default: the objective's, else 7 days"),
});
export type Config = z.infer<typeof Config>;
