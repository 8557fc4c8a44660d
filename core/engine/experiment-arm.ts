import { armAt, NO_UNIT, OUTSIDE, placeIn } from "../bucketing/compile-split.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * The arm of the experiment that runs on the feature now, for this user, without deciding the feature; null when none
 * runs. The same arm `evaluate` would name: an experiment's split knows users by their id alone.
 */
export function experimentArm(snapshot: Snapshot | undefined, featureKey: string, userId: string): string | null {
  const feature = snapshot?.features.get(featureKey);
  const experiment = feature?.plan?.experiment;
  if (!feature?.definition.enabled || !experiment?.split) return null;
  const bucket = placeIn(experiment.split, { user_id: userId });
  if (bucket === NO_UNIT || bucket === OUTSIDE) return null;
  return experiment.arms[armAt(experiment.split, bucket)]?.assignment.variant ?? null;
}
