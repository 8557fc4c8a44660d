import { z } from "zod";

const DAY_SECONDS = 86_400;
const EventTypes = z.array(z.string().min(1).max(100)).min(1).max(20);
const Direction = z.enum(["increase", "decrease"]);

/** What must not get worse, whatever the objective gains. */
const Guardrail = z.strictObject({
  event_types: EventTypes.meta({ description: "Events that harm" }),
  harmful: Direction.default("increase").meta({ description: "Which way is harm: errors harm when they increase" }),
  margin: z.number().min(0).max(1).default(0.1).meta({ description: "Relative change that is tolerated, 0..1" }),
});

/**
 * What a feature should improve, and how it may be learned: what is written, with the defaults filled in. A feature with
 * an objective holds users out and explores; one without neither does (docs/learning.md).
 */
export const Objective = z
  .strictObject({
    event_types: EventTypes.optional().meta({ description: "Default: POSITIVE_EVENT_TYPES of the settings" }),
    window_seconds: z
      .number()
      .positive()
      .max(366 * DAY_SECONDS)
      .optional()
      .meta({
        description: "Events in [decision, decision + window) count. Default: chosen from the data, at most 7 days",
      }),
    grace_seconds: z
      .number()
      .min(0)
      .max(30 * DAY_SECONDS)
      .default(0)
      .meta({ description: "Waited after the window for events that arrive late" }),
    direction: Direction.default("increase").meta({ description: "Which way is better" }),
    value: z
      .strictObject({ property: z.string().min(1).max(100), cap: z.number().positive() })
      .nullable()
      .default(null)
      .meta({
        description: "Without it, an outcome is whether an event came; with it, the sum of this property, capped",
      }),
    guardrails: z
      .array(Guardrail)
      .max(10)
      .default([])
      .meta({ description: "What must not get worse, whatever the objective gains" }),
    safe_variant: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "What effects are compared with, and half of the holdout gets. Default: the off variant" }),
    exploration: z
      .union([z.literal("frozen"), z.number().min(0.02).max(1)])
      .default(0.1)
      .meta({
        description: "Share of decisions drawn evenly among the variants. frozen: none, and nothing is learned",
      }),
    holdout: z.number().min(0).max(0.5).default(0.05).meta({ description: "Share of users no model ever decides for" }),
    min_confidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.9)
      .meta({ description: "Below this probability of being right, the model leaves it to the next step" }),
    margin: z.number().min(0).max(1).default(0).meta({ description: "Effect, in the outcome's 0..1, to be exceeded" }),
    max_age_seconds: z
      .number()
      .positive()
      .default(7 * DAY_SECONDS)
      .meta({ description: "A model older than this no longer decides" }),
    cold_start: z
      .enum(["uniform", "rollout"])
      .default("uniform")
      .meta({ description: "What a bandit does until it knows enough: every variant alike, or the next step" }),
    cold_start_per_arm: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(500)
      .meta({ description: "Outcomes of each variant until a bandit decides" }),
    retrain: z
      .strictObject({
        every_seconds: z.number().min(60).optional().meta({ description: "Default: not by the clock" }),
        after_outcomes: z.int().min(1).optional().meta({ description: "Default: not by their number" }),
        on_drift: z.boolean().default(true).meta({ description: "When the hourly check finds the model drifting" }),
      })
      .default({ on_drift: true })
      .meta({ description: "When a new model is trained by itself" }),
    ramp: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .max(10)
      .default([0.1, 0.25, 0.5, 1])
      .refine(
        (shares) => shares.at(-1) === 1 && shares.every((share, i) => i === 0 || share > (shares[i - 1] as number)),
        {
          message: "Takes rising shares that end with 1",
        },
      )
      .meta({ description: "Shares of the model's users that a better model takes over, one after the other" }),
    ramp_seconds: z
      .number()
      .min(0)
      .default(DAY_SECONDS)
      .meta({ title: "Ramp stage", description: "How long each share is held at least" }),
  })
  .refine(({ exploration, holdout }) => holdout + (exploration === "frozen" ? 0 : exploration) <= 1, {
    message: "exploration and holdout together take at most 1",
    path: ["exploration"],
  });
export type Objective = z.infer<typeof Objective>;

/** An objective as those who learn and decide use it: nothing is left open but what only the data can say. */
export type CompleteObjective = Objective & { readonly safe_variant: string };

/** With the feature's off variant as the safe one unless it says otherwise; null when the feature has no objective. */
export function completeObjective(feature: {
  readonly objective: unknown;
  readonly off_variant: string;
}): CompleteObjective | null {
  if (feature.objective === null || feature.objective === undefined) return null;
  const objective = Objective.parse(feature.objective);
  return { ...objective, safe_variant: objective.safe_variant ?? feature.off_variant };
}
