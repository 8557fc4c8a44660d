import { z } from "zod";

const Value = z
  .object({
    value: z.number().describe("Mean outcome of a decision, 0..1: a rate, or a share of the objective's cap"),
    interval: z.tuple([z.number(), z.number()]).readonly(),
  })
  .readonly();
export type Value = z.infer<typeof Value>;

const Compared = z
  .object({
    policy: Value.describe("Of the policy asked about, doubly robust"),
    served: Value.describe("Of what was really served in the same decisions"),
    difference: Value.describe("The policy's less the served one's"),
  })
  .readonly();
export type Compared = z.infer<typeof Compared>;

/** Why the evidence does not carry the question. */
export const Refusal = z.enum([
  "no_decisions",
  "no_draw",
  "policy_unknown",
  "never_drawn",
  "too_little_evidence",
  "wrong_propensities",
]);
export type Refusal = z.infer<typeof Refusal>;

/** What another policy would have been worth in decisions that were already made. */
export const ReplayResult = z
  .object({
    answered: z.boolean().describe("False when the evidence does not carry the question; `verdict` says why"),
    refusal: Refusal.nullable(),
    verdict: z.string(),
    level: z.number().describe("Of every interval"),
    outcome: Compared.nullable().describe("Null when refused"),
    estimates: z
      .object({ ips: Value, snips: Value, dr: Value })
      .readonly()
      .nullable()
      .describe("The policy's value by each estimator. They should agree; `dr` is the one the verdict uses"),
    guardrails: z
      .array(Compared)
      .readonly()
      .describe("In the objective's order: the share of decisions with its events"),
    evidence: z
      .object({
        decisions: z.int().describe("Used"),
        units: z.int().describe("Whose decisions they are; those of one unit count as one observation"),
        effective_units: z.number().describe("How many units of the policy itself would say as much (ESS)"),
        needed_units: z.number(),
        max_weight: z.number(),
        mean_weight: z.number().describe("1 but for chance when the stored probabilities are right"),
        mean_weight_error: z.number(),
        never_drawn: z
          .record(z.string(), z.number())
          .describe(
            "By variant: the share of the decisions that the policy gives to it where it had no chance of being served",
          ),
        left_out: z
          .object({
            without_propensity: z
              .int()
              .describe("Stored without the variants' probabilities or without a feature row of the present schema"),
            certain: z.int().describe("A rule or a full rollout decided: nothing was drawn"),
            immature: z.int().describe("The objective's window and grace have not passed"),
            policy_unknown: z.int().describe("What the policy would serve cannot be known"),
          })
          .readonly(),
      })
      .readonly(),
  })
  .readonly();
export type ReplayResult = z.infer<typeof ReplayResult>;
