import { z } from "zod";

const Interval = z.tuple([z.number(), z.number()]).readonly().nullable();
const Mean = z
  .number()
  .nullable()
  .describe("Users who reached the objective, as a share; or the mean of the capped value");

const Users = z.object({ users: z.int(), mean: Mean }).readonly();
const Share = z.object({ decisions: z.int(), share: z.number() });

/** One of the objective's guardrails in the model group against the holdout. */
export const GuardrailLift = z
  .object({
    event_types: z.array(z.string()).readonly(),
    harmful: z.enum(["increase", "decrease"]),
    margin: z.number().describe("Relative change that is tolerated"),
    model: z.number().nullable().describe("Share of the users with such an event within the window"),
    holdout: z.number().nullable(),
    absolute_change: z.number().nullable(),
    interval: Interval.describe("Of the absolute change, 95 %"),
    relative_change: z.number().nullable(),
    relative_interval: Interval,
    verdict: z
      .enum(["ok", "unclear", "harm"])
      .describe("harm: the whole interval lies beyond the margin. ok: none of it does"),
  })
  .readonly();
export type GuardrailLift = z.infer<typeof GuardrailLift>;

/** What deciding by model did to the objective: the model group against the permanent holdout. */
export const HoldoutLift = z
  .object({
    feature_key: z.string(),
    from: z.string(),
    to: z.string(),
    window_seconds: z.number(),
    grace_seconds: z.number(),
    event_types: z.array(z.string()).readonly(),
    direction: z.enum(["increase", "decrease"]).describe("Which way is better; no number below is turned by it"),
    model: Users.describe("Users whom a learning step decided for, or should have decided for and could not"),
    holdout: z
      .object({
        users: z.int(),
        mean: Mean,
        safe_half: Users.describe("Served the safe variant"),
        uniform_half: z
          .object({
            users: z.int(),
            mean: Mean,
            arms: z.array(z.object({ variant: z.string(), users: z.int(), mean: Mean }).readonly()).readonly(),
          })
          .readonly()
          .describe("Served any variant alike: what each is worth by itself"),
      })
      .readonly(),
    immature_users: z.int().describe("Left out: window and grace have not passed since their first decision"),
    absolute_lift: z.number().nullable().describe("Model less holdout"),
    interval: Interval.describe("Of the absolute lift, 95 %. Null while a group has fewer than two users"),
    relative_lift: z.number().nullable().describe("Divided by the holdout's mean. Null while that is 0"),
    relative_interval: Interval,
    p_value: z.number().nullable().describe("Two-sided, of no difference"),
    sample_ratio: z
      .object({ p_value: z.number(), ok: z.boolean(), message: z.string() })
      .readonly()
      .nullable()
      .describe("Whether the groups' sizes fit the objective's holdout; when not, no number here can be trusted"),
    guardrails: z.array(GuardrailLift).readonly(),
    decisions: z
      .object({
        total: z.int(),
        by_source: z.array(Share.extend({ decision_source: z.string() }).readonly()).readonly(),
        by_fallback_cause: z.array(Share.extend({ cause: z.string() }).readonly()).readonly(),
      })
      .readonly()
      .describe(
        "Stored decisions of the period, matured or not; of a user's equal ones only the first of a UTC day is stored",
      ),
    verdict: z.enum(["lifts", "no_evidence", "worse", "no_holdout", "sample_ratio_mismatch"]),
    message: z.string().describe("The verdict in a sentence, for people"),
  })
  .readonly();
export type HoldoutLift = z.infer<typeof HoldoutLift>;
