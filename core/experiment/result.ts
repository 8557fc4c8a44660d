import { z } from "zod";

const Rate = z.number().describe("0..1");
const Interval = z.tuple([z.number(), z.number()]).readonly().nullable();

/** An arm against the control, A. */
export const Comparison = z
  .object({
    arm: z.string(),
    variant: z.string(),
    rate: Rate,
    absolute_lift: z.number().describe("Difference of the rates"),
    interval: Interval.describe("Of the absolute lift. Null while an arm has fewer than two users"),
    standard_error: z.number().nullable().describe("Of the absolute lift"),
    p_value: z.number().nullable().describe("Two-sided, of no difference; compare it with 1 - confidence_level"),
    relative_lift: z.number().nullable().describe("Difference of the rates divided by A's. Null while A's is 0"),
    relative_interval: Interval,
    confidence_level: z
      .number()
      .describe("1 - alpha; closer to 1 with several arms, so that all intervals together hold with 1 - alpha"),
    verdict: z.enum(["undecided", "better", "not_better"]),
  })
  .readonly();
export type Comparison = z.infer<typeof Comparison>;

/** What an experiment says so far. */
export const ExperimentResult = z
  .object({
    experiment_id: z.int(),
    experiment_name: z.string(),
    feature_key: z.string(),
    primary_metric_event: z.string(),
    variant_stats: z
      .record(z.string(), z.object({ samples: z.int(), positives: z.int() }).readonly())
      .readonly()
      .describe("By arm: exposed users, and those of them with the event after their first exposure"),
    rate_a: Rate,
    rate_b: Rate,
    lift_b_vs_a: z.number().describe("Absolute: rate_b - rate_a"),
    min_lift: z.number(),
    min_samples_per_variant: z.int(),
    decision: z
      .union([z.literal(["continue", "stop_keep_a"]), z.templateLiteral(["stop_promote_", z.string()])])
      .describe("continue, stop_keep_a, stop_promote_b (with more arms also stop_promote_c and so on)"),
    message: z.string().describe("The decision and its reason, for people"),
    days_left: z
      .int()
      .nullable()
      .describe(
        "About how many more days it needs, when users go on arriving as they did. null: it is decided or does not run, or nobody can tell",
      ),
    probability_best: z
      .record(z.string(), Rate)
      .readonly()
      .describe(
        "By arm: how probable it is that its rate is the highest, if any rate was as likely as any other before. What is decided does not follow from it: whoever looks often and stops when it is high is wrong more often than it says",
      ),
    comparisons: z.array(Comparison).readonly(),
    sample_ratio: z
      .object({ p_value: z.number(), ok: z.boolean(), message: z.string() })
      .readonly()
      .describe("Whether the exposed users fit the arms' weights; when not, nothing else here can be trusted"),
  })
  .readonly();
export type ExperimentResult = z.infer<typeof ExperimentResult>;
