import type { Seed } from "../bucketing/murmur3.ts";
import type { Reason } from "../decision/decision.ts";
import type { Decide, Evaluator } from "../strategy.ts";
import type { Served } from "./served.ts";
import { checkVerdict } from "./verdict.ts";

/** A step that divides users in two by their user_id and looks at nothing else, as most steps do. */
export interface QuickSplit extends Seed {
  /** Where the buckets of one side end and those of the other begin. */
  readonly edge: number;
  readonly sides: Sides;
}

/** What such a step serves. Apart, because many features share theirs: the processor then has it at hand. */
export interface Sides {
  /** null leaves a side's users to the next step. */
  readonly below: Served | null;
  readonly above: Served | null;
  readonly belowProbability: number | null;
  readonly aboveProbability: number | null;
  readonly step: string;
  readonly source: string;
  readonly reason: Reason;
}

/** null: the step is no such split, or a verdict of it is not sound, which is for `runStep` to say. */
export function compileQuickSplit(
  { split: deciding }: Evaluator,
  step: { readonly id: string; readonly source: string },
  variants: ReadonlyMap<string, Served>,
  share: (sides: Sides) => Sides,
): QuickSplit | null {
  if (deciding === undefined) return null;
  const { split, verdicts } = deciding;
  const [edge] = split.ends;
  if (split.seed === null || split.traffic !== null || split.unit[0] !== "user_id") return null;
  if (edge === undefined || split.ends.length !== 2) return null;
  const [below, above] = split.owners.map((owner) => verdicts[owner] ?? null);
  const told = [below, above].filter((verdict) => verdict != null);
  if (told.some((verdict) => checkVerdict(verdict, variants) !== undefined)) return null;
  const [{ source, reason } = {}] = told as Partial<Decide>[];
  if (told.some((verdict) => verdict.source !== source || verdict.reason !== reason)) return null;
  const { start, tail, filled, length } = split.seed;
  const sides = share({
    below: variants.get(below?.variant ?? "") ?? null,
    above: variants.get(above?.variant ?? "") ?? null,
    belowProbability: below?.probability ?? null,
    aboveProbability: above?.probability ?? null,
    step: step.id,
    source: source ?? step.source,
    reason: reason ?? "TARGETING_MATCH",
  });
  // Written out, for what follows a spread is kept in a second object.
  return { start, tail, filled, length, edge, sides };
}
