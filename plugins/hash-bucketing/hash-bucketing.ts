/**
 * Divides units among variants by their hash: the gradual rollout, and any other split.
 *
 * The same unit always gets the same variant. Raising a percentage only adds units, changing the weights of several arms
 * moves as few as arithmetic allows, and no unit moves unless its owner changes the config: algorithm, seed and the
 * buckets of every arm are stored with it. An arm whose variant is null leaves its units to the next step.
 *
 *     { "arms": [{ "variant": "on", "weight": 25 }, { "variant": "off", "weight": 75 }] }
 *     { "unit": ["org_id", "user_id"], "arms": [{ "variant": "blue", "weight": 50 }, { "variant": "green", "weight": 50 }],
 *       "traffic": [{ "percentage": 20 }] }
 */
import {
  armAt,
  type CompiledSplit,
  compileSplit,
  EVERYONE,
  NO_UNIT,
  OUTSIDE,
  placeIn,
} from "../../core/bucketing/compile-split.ts";
import { completeSplit } from "../../core/bucketing/complete-split.ts";
import { Split } from "../../core/bucketing/split.ts";
import type { Abstain, Ask, Distribution, Evaluator, Strategy, Verdict } from "../../core/strategy.ts";

const Config = Split.superRefine((split, context) => {
  const sum = Math.round(split.arms.reduce((total, { weight }) => total + weight, 0) * 1e6) / 1e6;
  if (sum !== 100)
    context.addIssue({
      code: "custom",
      path: ["arms"],
      message: `The weights of the arms must sum to 100, not ${sum}`,
    });
});

export const strategy: Strategy<Split> = {
  id: "hash-bucketing",
  contract: 1,
  summary: "Divides users, or another unit, among variants by their hash: a gradual rollout",
  source: "rollout",
  config: Config,
  bounded: true,
  complete(config, { feature_key, step_id, first, previous }) {
    return completeSplit(config, first ? feature_key : `${feature_key}#${step_id}`, previous);
  },
  variants: (config) => config.arms.flatMap(({ variant }) => (variant === null ? [] : [variant])),
  reads: (config) => [...new Set(unitsOf(config).map((name) => `/${name}`))],
  prepare(config, host) {
    const split = compileSplit(config, host.feature.key);
    const { verdicts, everyone } = toldOnce(config, split);
    const evaluate: Evaluator = (ask) => {
      const bucket = placeIn(split, ask.user);
      if (bucket === NO_UNIT) return ask.explain ? explainMissing(config) : MISSING;
      if (bucket === OUTSIDE) return ask.explain ? { abstain: "no_match", detail: "Outside the traffic" } : NO_MATCH;
      const verdict = verdicts[armAt(split, bucket)] as Placed | null;
      if (ask.explain) return explain(config, bucket, verdict);
      if (verdict === null) return NO_MATCH;
      return bucket === EVERYONE ? verdict : { ...verdict, bucket };
    };
    evaluate.split = { split, verdicts };
    evaluate.distribution = ({ user }: Ask) => (placeIn(split, user) === NO_UNIT ? NOBODY : everyone);
    return evaluate;
  },
};

/** What an arm's units are told, but for their bucket. */
interface Placed {
  readonly variant: string;
  readonly reason: "STATIC" | "SPLIT";
  /** That a unit the split divides gets this variant, 0..1. */
  readonly probability: number;
}

/** What a split's arms are told; of everyone, see `distribution`. */
interface Told {
  readonly verdicts: readonly (Placed | null)[];
  readonly everyone: Distribution;
}

/** A snapshot shares equal arms among its features, and so they share what is told: thousands of rollouts look alike. */
const known = new WeakMap<Split["arms"], Told>();

function toldOnce(config: Split, { traffic, constant }: CompiledSplit): Told {
  const before = traffic === null ? known.get(config.arms) : undefined;
  if (before !== undefined) return before;
  const reason = constant ? "STATIC" : "SPLIT";
  const verdicts = config.arms.map(({ variant }): Placed | null =>
    variant === null ? null : { variant, reason, probability: shareOf(config, variant) },
  );
  const told = { verdicts, everyone: distribution(config) };
  if (traffic === null) known.set(config.arms, told);
  return told;
}

const MISSING: Abstain = { abstain: "missing_features" };
const NO_MATCH: Abstain = { abstain: "no_match" };

const NOBODY: Distribution = { probabilities: {}, abstain: "missing_features" };

/** Over all units: whoever is kept out by the traffic's gates, or falls to an arm without variant, is left to the next step. */
function distribution(config: Split): Distribution {
  const { arms, traffic = [] } = config;
  const inside = traffic.reduce((share, { percentage }) => (share * percentage) / 100, 1);
  const variants = [...new Set(arms.flatMap(({ variant }) => (variant === null ? [] : [variant])))];
  return {
    probabilities: Object.fromEntries(variants.map((variant) => [variant, inside * shareOf(config, variant)])),
  };
}

/** Attributes that make a difference: to give everyone or nobody a variant, none is looked at. */
function unitsOf({ unit, arms, traffic = [] }: Split): readonly string[] {
  const gates = traffic.filter(({ percentage }) => percentage > 0 && percentage < 100);
  const sole = arms.some(({ weight }) => weight === 100);
  return [...gates.flatMap((gate) => gate.unit), ...(sole ? [] : unit)];
}

function shareOf(config: Split, variant: string | null): number {
  return config.arms.reduce((sum, arm) => (arm.variant === variant ? sum + arm.weight : sum), 0) / 100;
}

function explainMissing(config: Split): Verdict {
  return { abstain: "missing_features", detail: `The user has none of ${config.unit.join(", ")}` };
}

function explain(config: Split, bucket: number, verdict: Placed | null): Verdict {
  const everyone = bucket === EVERYONE;
  const to = verdict?.variant ?? "the next step";
  const told = {
    detail: everyone ? `Everyone gets ${to}` : `Bucket ${bucket} of 100,000 belongs to ${to}`,
    evidence: {
      unit: config.unit,
      seed: config.bucketing?.seed ?? null,
      bucket: everyone ? null : bucket,
      arms: config.arms.map(({ variant, weight, ranges }) => ({ variant, weight, ranges: ranges ?? null })),
    },
  };
  if (verdict === null) return { abstain: "no_match", ...told };
  return { ...verdict, ...(everyone ? {} : { bucket }), ...told };
}
