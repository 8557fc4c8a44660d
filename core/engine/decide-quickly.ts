import { bucketOf } from "../bucketing/bucket.ts";
import { intervalAt } from "../bucketing/compile-split.ts";
import type { Decision } from "../decision/decision.ts";
import type { EngineAsk } from "./ask.ts";
import type { CompiledFeature, CompiledStep } from "./compile-feature.ts";
import { quickDecision } from "./make-decision.ts";
import type { QuickArm, QuickSplit } from "./quick-split.ts";

/** null: the next step is to be asked; undefined: this one is, by `runStep`. */
export function decideQuickly(
  feature: CompiledFeature,
  ask: EngineAsk,
  step: CompiledStep,
  quick: QuickSplit,
): Decision | null | undefined {
  const { userId } = ask;
  if (userId === null || userId === "" || ask.traces !== null || step.breaker.failures !== 0) return undefined;
  const bucket = bucketOf(quick, userId);
  const arm = quick.arms[intervalAt(quick.ends, bucket)] as QuickArm | null;
  return arm === null ? null : quickDecision(feature, ask, step, arm, bucket);
}
