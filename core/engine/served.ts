import type { Feature } from "../feature/feature.ts";
import type { Json } from "../json.ts";

/** What a decision for a variant carries. */
export interface Served {
  /** null: the feature declares no such variant, which a stored feature never does. */
  readonly variant: string | null;
  readonly value: Json;
  readonly enabled: boolean;
}

export function serve(feature: Pick<Feature, "variants" | "off_variant">, name: string): Served {
  if (!Object.hasOwn(feature.variants, name)) return { variant: null, value: null, enabled: false };
  return { variant: name, value: feature.variants[name] as Json, enabled: name !== feature.off_variant };
}

/** What a feature serves, by variant. Plain switches, which most features are, share theirs. */
export function serveAll(feature: Pick<Feature, "variants" | "off_variant">): ReadonlyMap<string, Served> {
  const { variants, off_variant: off } = feature;
  const names = Object.keys(variants);
  const plain = names.length === 2 && variants.on === true && variants.off === false && off === "off";
  return plain ? SWITCH : new Map(names.map((name) => [name, serve(feature, name)]));
}

const SWITCH: ReadonlyMap<string, Served> = new Map([
  ["on", { variant: "on", value: true, enabled: true }],
  ["off", { variant: "off", value: false, enabled: false }],
]);
