import type { Strategy } from "../strategy.ts";
import { type Condition, visitConditions } from "./condition.ts";
import type { Feature } from "./feature.ts";

/** What conditions refer to by key. */
export interface References {
  readonly segments: ReadonlySet<string>;
  /** Features asked about, each with the variants named; empty when only "not off" is asked. */
  readonly features: ReadonlyMap<string, ReadonlySet<string>>;
}

export function referencesOf(conditions: readonly Condition[]): References {
  const segments = new Set<string>();
  const features = new Map<string, Set<string>>();
  for (const condition of conditions)
    visitConditions(condition, (found) => {
      if (typeof found === "boolean") return;
      if ("segment" in found) segments.add(found.segment);
      if ("feature" in found) {
        const variants = features.get(found.feature) ?? new Set<string>();
        for (const variant of found.variant ?? []) variants.add(variant);
        features.set(found.feature, variants);
      }
    });
  return { segments, features };
}

/** Features these references ask about, directly or through segments, each with the variants named. */
export function prerequisites(
  references: References,
  segments: ReadonlyMap<string, References>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  const seen = new Set<string>();
  const waiting: References[] = [references];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const [key, variants] of next.features) found.set(key, variants);
    for (const key of next.segments) {
      const segment = segments.get(key);
      if (segment === undefined || seen.has(key)) continue;
      seen.add(key);
      waiting.push(segment);
    }
  }
  return found;
}

/** Every condition a feature holds, in its steps and in their configs. A strategy that throws or is not loaded has none. */
export function conditionsOf(
  feature: Pick<Feature, "steps">,
  strategies: ReadonlyMap<string, Strategy>,
): readonly Condition[] {
  return feature.steps.flatMap((step) => [
    ...(step.when === undefined ? [] : [step.when]),
    ...configConditions(strategies.get(step.strategy), step.config),
  ]);
}

function configConditions(strategy: Strategy | undefined, config: unknown): readonly Condition[] {
  try {
    return strategy?.conditions?.(config) ?? [];
  } catch {
    return [];
  }
}
