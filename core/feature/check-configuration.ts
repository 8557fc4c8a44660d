import { Invalid } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import type { Feature } from "./feature.ts";
import { conditionsOf, prerequisites, type References, referencesOf } from "./references.ts";
import type { Segment } from "./segment.ts";

/** How many features, or segments, may depend on one another in a row. */
export const MAX_CHAIN = 20;

/**
 * Throws Invalid when features and segments do not fit together: a prerequisite, variant or segment that does not exist,
 * a chain that leads back to itself (the message names it, a -> b -> a) or is longer than MAX_CHAIN.
 */
export function checkConfiguration(
  { features, segments }: { readonly features: readonly Feature[]; readonly segments: readonly Segment[] },
  strategies: ReadonlyMap<string, Strategy>,
): void {
  const byKey = new Map(features.map((feature) => [feature.key, feature]));
  const ofSegments = new Map(segments.map(({ key, condition }) => [key, referencesOf([condition])]));
  const ofFeatures = new Map(features.map((feature) => [feature.key, referencesOf(conditionsOf(feature, strategies))]));

  for (const [key, references] of ofSegments) checkReferences(`Segment "${key}"`, references, byKey, ofSegments);
  for (const [key, references] of ofFeatures) checkReferences(`Feature "${key}"`, references, byKey, ofSegments);

  checkChains("segment", ofSegments.keys(), (key) => ofSegments.get(key)?.segments ?? []);
  checkChains("prerequisite", ofFeatures.keys(), (key) => {
    const references = ofFeatures.get(key);
    return references === undefined ? [] : prerequisites(references, ofSegments).keys();
  });
}

function checkReferences(
  who: string,
  references: References,
  features: ReadonlyMap<string, Feature>,
  segments: ReadonlyMap<string, References>,
): void {
  for (const key of references.segments)
    if (!segments.has(key)) throw new Invalid("missing_segment", `${who} uses segment "${key}", ${missing(who)}`);
  for (const [key, variants] of references.features) {
    const feature = features.get(key);
    if (feature === undefined)
      throw new Invalid("missing_prerequisite", `${who} depends on feature "${key}", ${missing(who)}`);
    for (const variant of variants)
      if (!Object.hasOwn(feature.variants, variant))
        throw new Invalid(
          "missing_prerequisite",
          `${who} depends on variant "${variant}" of feature "${key}", which has only ${Object.keys(feature.variants).join(", ")}`,
        );
  }
}

/** Fits both who refers to what is not there and who takes away what is referred to. */
const missing = (who: string) =>
  `which would not exist: create or keep it, or take it out of ${who.charAt(0).toLowerCase()}${who.slice(1)} first`;

/** Depth first, each key once; the path stays short because MAX_CHAIN ends it. */
function checkChains(
  kind: "segment" | "prerequisite",
  keys: Iterable<string>,
  next: (key: string) => Iterable<string>,
): void {
  const lengths = new Map<string, number>();
  const follow = (key: string, path: readonly string[]): number => {
    const known = lengths.get(key);
    if (known === undefined && path.includes(key))
      throw new Invalid(
        `${kind}_circle`,
        `A ${kind} leads back to itself: ${[...path.slice(path.indexOf(key)), key].join(" -> ")}`,
      );
    if (path.length + (known ?? 1) > MAX_CHAIN)
      throw new Invalid(
        `${kind}_chain`,
        `At most ${MAX_CHAIN} ${kind}s in a row, found more: ${path.slice(0, MAX_CHAIN).join(" -> ")} -> ${key}`,
      );
    if (known !== undefined) return known;
    let longest = 0;
    for (const child of next(key)) longest = Math.max(longest, follow(child, [...path, key]));
    lengths.set(key, longest + 1);
    return longest + 1;
  };
  for (const key of keys) follow(key, []);
}
