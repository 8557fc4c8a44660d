import { z } from "zod";
import { algorithmNames, MURMUR } from "./algorithm.ts";

/** Resolution of every split: 100,000 buckets, so the smallest step is 0.001 %. */
export const BUCKETS = 100_000;

/**
 * How a unit becomes a bucket. Stored with every split and gate, so that no release of ours ever moves a user:
 * a new algorithm gets a new name.
 */
export const Bucketing = z.strictObject({
  algorithm: z
    .string()
    .refine((name) => algorithmNames().includes(name), {
      error: ({ input }) =>
        `There is no bucketing algorithm ${JSON.stringify(input)}: use one of ${algorithmNames().join(", ")}`,
    })
    .default(MURMUR)
    .meta({ description: "murmur3-v1, or one that a plugin brings", examples: [MURMUR] }),
  seed: z.string().min(1).max(200),
  buckets: z.literal(BUCKETS).default(BUCKETS),
});
export type Bucketing = z.infer<typeof Bucketing>;

/** Percent, 0 to 100, in steps of 0.001. */
export const Percentage = z
  .number()
  .min(0)
  .max(100)
  .refine((percent) => Math.abs(percent * 1000 - Math.round(percent * 1000)) < 1e-6, {
    message: "Percentages have at most three decimals (steps of 0.001 %)",
  });

/** Attribute names tried in order; the first one the user has is what is hashed. */
export const Unit = z.array(z.string().min(1).max(100)).min(1).max(5);

/** A percentage of units, used as a condition or to limit a split's traffic. */
export const Gate = z.strictObject({
  percentage: Percentage,
  unit: Unit.default(["user_id"]),
  /** Left out on write, the seed becomes the feature's key with the suffix `#gate` (conditions) or `#traffic` (splits). */
  bucketing: Bucketing.optional(),
});
export type Gate = z.infer<typeof Gate>;

/** Half-open bucket interval [from, to). */
export const Range = z.tuple([z.int().min(0).max(BUCKETS), z.int().min(0).max(BUCKETS)]);
export type Range = readonly [from: number, to: number];

/**
 * Units divided among arms. `weight` is in percent and the weights sum to 100; an arm whose variant is null abstains.
 * `ranges` are the buckets an arm owns: written by us when the split is stored, so that a later change of weights
 * moves as few units as arithmetic allows (see reallocate).
 */
export const Split = z.strictObject({
  unit: Unit.default(["user_id"]),
  bucketing: Bucketing.optional(),
  arms: z
    .array(
      z.strictObject({
        variant: z.string().min(1).max(100).nullable(),
        weight: Percentage,
        ranges: z.array(Range).max(1000).optional(),
      }),
    )
    .min(1)
    .max(50),
  traffic: z.array(Gate).max(10).optional(),
});
export type Split = z.infer<typeof Split>;
