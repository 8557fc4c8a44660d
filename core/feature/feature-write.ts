import { z } from "zod";
import { Percentage } from "../bucketing/split.ts";
import type { Json } from "../json.ts";
import { BoundedJson, checkJson, isForbiddenName } from "./bounded-json.ts";
import { Condition } from "./condition.ts";
import { FeatureType } from "./feature.ts";
import { Objective } from "./objective.ts";
import { describe } from "./operators/operator.ts";

/** A feature's key: it names the feature in URLs, where a whole number would be read as an id. */
export const FeatureKey = z
  .string()
  .min(3)
  .max(50)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, "Takes letters, digits, _ . : and -, starting with a letter or digit")
  .refine((key) => !/^\d+$/.test(key), { message: "Needs more than digits: a whole number is read as an id" });

export const ThresholdMode = z.enum(["fixed", "match_rollout", "maximize_f1"]);
export type ThresholdMode = z.infer<typeof ThresholdMode>;

const VariantName = z.string().min(1).max(100);

/** By hand because a record schema drops the key `__proto__` without a word. */
const Variants = z
  .unknown()
  .superRefine((value, context) => {
    for (const { path, message } of checkVariants(value))
      context.addIssue({ code: "custom", path, message, input: undefined });
  })
  .meta({
    type: "object",
    minProperties: 1,
    maxProperties: 100,
    propertyNames: { minLength: 1, maxLength: 100 },
    additionalProperties: true,
    description: 'Values by name, all of the feature\'s type: {"blue":"#00f","green":"#0f0"}. Default: on and off',
  }) as z.ZodType<unknown> as z.ZodType<Readonly<Record<string, Json>>>;

const Step = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(50)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "Takes letters, digits, _ . and -, starting with a letter or digit"),
  strategy: z.string().min(1).max(100),
  when: Condition.optional(),
  config: BoundedJson.optional().meta({ id: "StepConfig", description: "The strategy's own settings. Default: {}" }),
  on_failure: z.enum(["next", "fallback"]).default("next"),
  budget_ms: z.number().min(1).max(5000).optional(),
});

/** A field of the answer, accepted and ignored so that what was read can be written back. */
const ReadOnly = z.unknown().optional().meta({ readOnly: true, description: "Given by the server, ignored on write" });

/**
 * What a client sends to create or replace a feature: the shorthand of the base contract (`rollout_percentage`,
 * `ml_*`), or variants and steps, or both as they were read (see toDefinition).
 */
export const FeatureWrite = z.strictObject({
  name: z.string().trim().min(3).max(100),
  key: FeatureKey,
  description: z.string().max(500).nullish(),
  enabled: z.boolean().optional().meta({ description: "Default true; on update, as stored" }),
  rollout_percentage: Percentage.optional().meta({ description: "Shorthand for the step `rollout`. Default 0" }),
  ml_enabled: z.boolean().optional().meta({ description: "Shorthand for the step `model`. Default false" }),
  ml_threshold_mode: ThresholdMode.optional().meta({ description: "Default fixed" }),
  ml_threshold_value: z.number().min(0).max(1).optional().meta({ description: "Default 0.1" }),
  type: FeatureType.optional().meta({ description: "Default: the type of the variants, else boolean" }),
  variants: Variants.optional(),
  steps: z.array(Step).max(50).optional(),
  off_variant: VariantName.optional().meta({ description: "Served while disabled. Default `off`" }),
  fallback_variant: VariantName.optional().meta({ description: "Served when no step decides. Default: off_variant" }),
  objective: Objective.nullish(),
  tags: z.array(z.string().trim().min(1).max(50)).max(50).optional(),
  owner: z.string().trim().min(1).max(200).nullish(),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
  id: ReadOnly,
  environment: ReadOnly,
  version: ReadOnly,
  created_at: ReadOnly,
  updated_at: ReadOnly,
});
export type FeatureWrite = z.infer<typeof FeatureWrite>;

function checkVariants(value: unknown): readonly { path: string[]; message: string }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [{ path: [], message: `Takes an object of values by name, found ${describe(value)}` }];
  const entries = Object.entries(value);
  if (entries.length < 1 || entries.length > 100)
    return [{ path: [], message: `A feature has 1 to 100 variants, found ${entries.length}` }];
  return entries.flatMap(([name, entry]) => {
    const message = checkName(name) ?? checkJson(entry, 0);
    return message === undefined ? [] : [{ path: [name], message }];
  });
}

function checkName(name: string): string | undefined {
  if (isForbiddenName(name)) return `"${name}" cannot be the name of a variant`;
  return name.length >= 1 && name.length <= 100 ? undefined : "A variant's name has 1 to 100 characters";
}
