import type { Seed } from "../bucketing/murmur3.ts";
import type { Reason } from "../decision/decision.ts";
import type { Decide, Evaluator } from "../strategy.ts";
import type { Breaker } from "./breaker.ts";
import type { Served } from "./served.ts";
import { checkVerdict } from "./verdict.ts";

/**
 * A step that divides users in two by their user_id and looks at nothing else, as most steps do. All that its decisions
 * need is in this one object: of thousands of features, fetching them from memory is what takes the time.
 */
export interface QuickSplit extends Seed {
  /** Where the buckets of one side end and those of the other begin. */
  readonly edge: number;
  /** What the sides serve; null leaves a side's users to the next step. */
  readonly below: Served | null;
  readonly above: Served | null;
  readonly belowProbability: number | null;
  readonly aboveProbability: number | null;
  readonly step: string;
  readonly source: string;
  readonly reason: Reason;
  readonly breaker: Breaker;
}

/** null: the step is no such split, or a verdict of it is not sound, which is for `runStep` to say. */
export function compileQuickSplit(
  { split: deciding }: Evaluator,
  step: { readonly id: string; readonly source: string; readonly breaker: Breaker },
  variants: ReadonlyMap<string, Served>,
): QuickSplit | null {
  if (deciding === undefined) return null;
  const { split, verdicts } = deciding;
  const [edge] = split.ends;
  if (split.seed === null || split.traffic !== null || split.unit[0] !== "user_id") return null;
  if (edge === undefined || split.ends.length !== 2) return null;
  const [below, above] = split.owners.map((owner) => verdicts[owner] ?? null);
  const sides = [below, above].filter((verdict) => verdict != null);
  if (sides.some((verdict) => checkVerdict(verdict, variants) !== undefined)) return null;
  const [{ source, reason } = {}] = sides as Partial<Decide>[];
  if (sides.some((verdict) => verdict.source !== source || verdict.reason !== reason)) return null;
  const { start, tail, filled, length } = split.seed;
  return {
    // Written out, for what follows a spread is kept in a second object.
    start,
    tail,
    filled,
    length,
    edge,
    below: variants.get(below?.variant ?? "") ?? null,
    above: variants.get(above?.variant ?? "") ?? null,
    belowProbability: below?.probability ?? null,
    aboveProbability: above?.probability ?? null,
    step: step.id,
    source: source ?? step.source,
    reason: reason ?? "TARGETING_MATCH",
    breaker: step.breaker,
  };
}
