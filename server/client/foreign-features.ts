import { brokenSteps } from "../../core/engine/broken-steps.ts";
import type { Snapshot } from "../../core/engine/snapshot.ts";

/**
 * Keys of the features that this process cannot decide as the server does, for want of a plugin: those with a step or a
 * condition that cannot be asked, and those that ask about such a feature.
 */
export function foreignFeatures(snapshot: Snapshot): ReadonlySet<string> {
  const foreign = new Set(brokenSteps(snapshot).map(({ feature_key }) => feature_key));
  for (let known = 0; known < foreign.size; ) {
    known = foreign.size;
    for (const { key, plan } of snapshot.features.values())
      for (const asked of plan?.prerequisites.keys() ?? []) if (foreign.has(asked)) foreign.add(key);
  }
  return foreign;
}
