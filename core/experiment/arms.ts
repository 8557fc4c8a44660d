import type { Feature } from "../feature/feature.ts";
import { Invalid } from "../ports.ts";
import type { ExperimentArm } from "./experiment.ts";

/** How many arms an experiment may have; they are named A, B, C ... in order. */
export const MAX_ARMS = 10;

/**
 * Names the arms and checks them against the feature. Left out, they are the off variant (A) against the other one (B; of
 * several the one named "on"), half and half.
 *
 * @throws Invalid `arms_required`, `undeclared_variant` or `weights_not_100`
 */
export function planArms(
  feature: Pick<Feature, "key" | "variants" | "off_variant">,
  asked: readonly Omit<ExperimentArm, "name">[] | undefined,
): ExperimentArm[] {
  const arms = asked ?? defaultArms(feature);
  const declared = Object.keys(feature.variants);
  arms.forEach(({ variant }, index) => {
    if (!declared.includes(variant))
      throw new Invalid(
        "undeclared_variant",
        `Feature "${feature.key}" has no variant "${variant}"; it has ${declared.join(", ")}`,
        `/arms/${index}/variant`,
      );
  });
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  if (Math.abs(sum - 100) > 1e-6)
    throw new Invalid("weights_not_100", `The arms' weights must sum to 100 percent, not ${sum}`, "/arms");
  return arms.map((arm, index) => ({ name: String.fromCharCode(65 + index), ...arm }));
}

function defaultArms(feature: Pick<Feature, "key" | "variants" | "off_variant">): Omit<ExperimentArm, "name">[] {
  const others = Object.keys(feature.variants).filter((variant) => variant !== feature.off_variant);
  const treatment = others.includes("on") ? "on" : others.length === 1 ? others[0] : undefined;
  if (treatment === undefined)
    throw new Invalid(
      "arms_required",
      `Feature "${feature.key}" has ${others.length} variants besides "${feature.off_variant}": say in arms which to compare`,
      "/arms",
    );
  return [
    { variant: feature.off_variant, weight: 50 },
    { variant: treatment, weight: 50 },
  ];
}
