import { z } from "zod";
import type { Host } from "../../core/strategy.ts";

const VariantName = z.string().min(1).max(100);

export const Config = z
  .strictObject({
    mode: z
      .enum(["uplift", "propensity"])
      .default("uplift")
      .describe("uplift: the variant with the best estimated effect. propensity: the score against a threshold"),
    arms: z
      .array(VariantName)
      .min(2)
      .max(100)
      .optional()
      .describe("Variants to choose from; only for uplift. Default: all of the feature's"),
    threshold_mode: z
      .enum(["fixed", "match_rollout", "maximize_f1"])
      .default("fixed")
      .describe(
        "Only for propensity. fixed: the calibrated probability `threshold_value`. match_rollout: whatever lets `share` of users pass. maximize_f1: the probability with the best F1 when the model was calibrated",
      ),
    threshold_value: z.number().min(0).max(1).default(0.1).describe("Only for propensity with the mode fixed"),
    share: z.number().min(0).max(1).default(0.5).describe("Of users above the threshold; only for match_rollout"),
    variant: VariantName.optional().describe(
      "Served at or above the threshold. Default: `on` when the feature has it, else its first variant that is not off",
    ),
    otherwise_variant: VariantName.optional().describe("Served below. Default: the off variant"),
    min_confidence: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe("Below this probability of being right, the step abstains. Default: the objective's, else 0.9"),
    max_age_seconds: z
      .number()
      .positive()
      .optional()
      .describe("A model older than this no longer decides. Default: the objective's, else 7 days"),
  })
  .superRefine(({ mode, arms, variant, otherwise_variant }, context) => {
    if (mode === "propensity" && arms !== undefined)
      context.addIssue({
        code: "custom",
        path: ["arms"],
        message: "Only for the mode uplift: name variant and otherwise_variant",
      });
    if (mode === "uplift" && (variant ?? otherwise_variant) !== undefined)
      context.addIssue({ code: "custom", path: ["variant"], message: "Only for the mode propensity: name arms" });
    if (arms !== undefined && new Set(arms).size !== arms.length)
      context.addIssue({ code: "custom", path: ["arms"], message: "Names a variant twice" });
  });
export type Config = z.infer<typeof Config>;

/** What the step may serve, in the order of its draws. For propensity: the variant above the threshold, then the one below. */
export function armsOf(config: Config, { feature }: Host): readonly string[] {
  if (config.mode === "uplift") return config.arms ?? feature.variants;
  const others = feature.variants.filter((name) => name !== feature.off_variant);
  const above = config.variant ?? others.find((name) => name === "on") ?? others[0] ?? feature.off_variant;
  return [...new Set([above, config.otherwise_variant ?? feature.off_variant])];
}
