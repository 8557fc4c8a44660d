import { bucketOf } from "../bucketing/bucket.ts";
import type { Seed } from "../bucketing/murmur3.ts";
import type { Decision } from "../decision/decision.ts";
import type { EngineAsk } from "./ask.ts";
import type { CompiledFeature } from "./compile-feature.ts";
import { quickDecision } from "./make-decision.ts";
import type { Sides } from "./quick-split.ts";

/** null: the next step is to be asked; undefined: this one is, by `runStep`. `seed` and `sides` are of one QuickSplit. */
export function decideQuickly(
  feature: CompiledFeature,
  ask: EngineAsk,
  seed: Seed & { readonly edge: number },
  sides: Sides,
): Decision | null | undefined {
  const { userId } = ask;
  if (userId === null || userId === "" || ask.traces !== null) return undefined;
  const bucket = bucketOf(seed, userId);
  const isBelow = bucket < seed.edge;
  const served = isBelow ? sides.below : sides.above;
  if (served === null) return null;
  return quickDecision(feature, ask, sides, served, isBelow ? sides.belowProbability : sides.aboveProbability, bucket);
}
