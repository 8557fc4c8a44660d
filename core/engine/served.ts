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
