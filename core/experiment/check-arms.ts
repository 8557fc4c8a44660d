import type { Feature } from "../feature/feature.ts";
import { Invalid } from "../ports.ts";
import type { Experiment } from "./experiment.ts";

/**
 * Throws Invalid when a running experiment could not serve what it promises: its feature is gone (undefined), has another
 * key, or lacks the variant of an arm.
 */
export function checkArms(
  { name, feature_key, arms }: Pick<Experiment, "name" | "feature_key" | "arms">,
  feature: Pick<Feature, "key" | "variants"> | undefined,
): void {
  if (feature?.key !== feature_key)
    throw new Invalid(
      "feature_in_experiment",
      `The experiment "${name}" is about feature "${feature_key}", ${feature === undefined ? "which does not exist: create it first" : `whose key would become "${feature.key}": stop it first`}`,
      "/key",
    );
  const gone = arms.find(({ variant }) => !Object.hasOwn(feature.variants, variant));
  if (gone !== undefined)
    throw new Invalid(
      "variant_in_experiment",
      `The running experiment "${name}" serves the variant "${gone.variant}": stop it before the variant is removed`,
      "/variants",
    );
}
