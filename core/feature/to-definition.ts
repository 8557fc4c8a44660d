import type { Strategy } from "../strategy.ts";
import type { Feature, FeatureDefinition } from "./feature.ts";
import type { FeatureWrite } from "./feature-write.ts";

export interface ToDefinitionOptions {
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** The feature as it is, on update. */
  readonly stored?: Feature | undefined;
}

/**
 * The feature a write means. Throws Invalid, its `field` a JSON pointer into the write.
 *
 * The shorthand is a view of the steps `model` and `rollout`. When a write carries both, the one that differs from what
 * is stored is what its author changed. On update, fields of the base contract are replaced as on create; the others
 * (type, variants, steps, off_variant, ...) stay as stored when they are left out, so that a client which does not know
 * them does not undo them.
 */
export function toDefinition(_write: FeatureWrite, _options: ToDefinitionOptions): FeatureDefinition {
  throw new Error("Being written");
}
