import { bucketOf } from "../bucketing/bucket.ts";
import type { Decision } from "../decision/decision.ts";
import type { EngineAsk } from "./ask.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import { quickDecision } from "./make-decision.ts";
import type { QuickSplit } from "./quick-split.ts";

/** null: the next step is to be asked; undefined: this one is, by `runStep`. */
export function decideQuickly(
  feature: CompiledFeature,
  ask: EngineAsk,
  quick: QuickSplit,
): Decision | null | undefined {
  const { userId } = ask;
  if (userId === null || userId === "" || ask.traces !== null || quick.breaker.failures !== 0) return undefined;
  const bucket = bucketOf(quick, userId);
  const isBelow = bucket < quick.edge;
  const served = isBelow ? quick.below : quick.above;
  if (served === null) return null;
  return quickDecision(feature, ask, quick, served, isBelow ? quick.belowProbability : quick.aboveProbability, bucket);
}
