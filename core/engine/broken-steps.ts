import type { Snapshot } from "./snapshot.ts";

/** A step that cannot be asked as it was written. */
export interface BrokenStep {
  readonly environment: string;
  readonly feature_key: string;
  readonly step: string;
  readonly strategy: string;
  /** In words. */
  readonly detail: string;
}

/** Of the enabled features: steps that always fail, and steps with a condition that can never match. */
export function brokenSteps({ environment, features }: Snapshot): readonly BrokenStep[] {
  const found: BrokenStep[] = [];
  // Without a plan, its one step was found sound.
  for (const { key, plan } of features.values())
    for (const { id, strategy, broken, gone } of plan?.enabled ? plan.steps : []) {
      const detail = broken?.detail ?? gone;
      if (detail !== null) found.push({ environment, feature_key: key, step: id, strategy, detail });
    }
  return found;
}
