import type { Seed } from "../bucketing/murmur3.ts";
import type { Reason } from "../decision/decision.ts";
import type { Evaluator } from "../strategy.ts";
import type { Served } from "./served.ts";
import { checkVerdict } from "./verdict.ts";

/**
 * A step that divides users by their user_id and looks at nothing else, as most steps do: the engine decides it from this
 * one object, with no verdict in between.
 */
export interface QuickSplit extends Seed {
  /** Where each interval of buckets ends, ascending. */
  readonly ends: readonly number[];
  /** What each interval serves; null leaves its users to the next step. */
  readonly arms: readonly (QuickArm | null)[];
}

export interface QuickArm {
  readonly served: Served;
  readonly source: string;
  readonly reason: Reason;
  readonly probability: number | null;
}

/** null: the step is no such split, or a verdict of it is not sound, which is for `runStep` to say. */
export function compileQuickSplit(
  { split: deciding }: Evaluator,
  step: { readonly source: string },
  variants: ReadonlyMap<string, Served>,
): QuickSplit | null {
  if (deciding === undefined) return null;
  const { split, verdicts } = deciding;
  if (split.seed === null || split.traffic !== null || split.unit[0] !== "user_id") return null;
  if (verdicts.some((verdict) => verdict !== null && checkVerdict(verdict, variants) !== undefined)) return null;
  const arms = verdicts.map((verdict): QuickArm | null => {
    if (verdict === null) return null;
    const { variant, source = step.source, reason = "TARGETING_MATCH", probability = null } = verdict;
    return { served: variants.get(variant) as Served, source, reason, probability };
  });
  return { ...split.seed, ends: split.ends, arms: split.owners.map((owner) => arms[owner] ?? null) };
}
