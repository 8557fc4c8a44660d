import type { Json } from "../json.ts";
import { Invalid } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import { completeSteps } from "./complete-steps.ts";
import type { Feature, FeatureDefinition, FeatureType, Step } from "./feature.ts";
import type { FeatureWrite } from "./feature-write.ts";
import { describe } from "./operators/operator.ts";
import { sameJson } from "./same-json.ts";
import { applyShorthand, NO_SHORTHAND, type Shorthand, shorthandOf } from "./shorthand.ts";

export interface ToDefinitionOptions {
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** The feature as it is, on update. */
  readonly stored?: Feature | undefined;
}

/**
 * The feature a write means. Throws Invalid, its `field` a JSON pointer into the write.
 *
 * The shorthand is a view of the steps `model` and `rollout`. When a write carries both, the one that differs from what
 * is stored is what its author changed. On update whatever is left out stays as stored, so that a client which does not
 * know a field does not undo it, and nobody switches a feature on again by leaving out `enabled`.
 */
export function toDefinition(write: FeatureWrite, { strategies, stored }: ToDefinitionOptions): FeatureDefinition {
  const variants = write.variants ?? stored?.variants ?? defaultVariants(write.type);
  const type = write.type ?? (write.variants === undefined ? stored?.type : undefined) ?? commonType(variants);
  checkValues(type, variants);
  const off_variant = declared(write.off_variant ?? stored?.off_variant ?? "off", variants, "/off_variant");
  const fallback = write.fallback_variant ?? stored?.fallback_variant ?? off_variant;
  const objective = (write.objective === undefined ? stored?.objective : write.objective) ?? null;
  if (objective?.safe_variant !== undefined) declared(objective.safe_variant, variants, "/objective/safe_variant");
  const shape = { key: write.key, type, variants, off_variant };
  return {
    key: write.key,
    name: write.name,
    description: (write.description === undefined ? stored?.description : write.description) ?? null,
    type,
    variants,
    enabled: write.enabled ?? stored?.enabled ?? true,
    off_variant,
    steps: chooseSteps(write, shape, strategies, stored),
    fallback_variant: declared(fallback, variants, "/fallback_variant"),
    objective,
    tags: write.tags ?? stored?.tags ?? [],
    owner: (write.owner === undefined ? stored?.owner : write.owner) ?? null,
    expires_at: (write.expires_at === undefined ? stored?.expires_at : write.expires_at) ?? null,
  };
}

function defaultVariants(type: FeatureType | undefined): Feature["variants"] {
  if (type === undefined || type === "boolean") return { on: true, off: false };
  throw new Invalid("missing_variants", `A feature of type ${type} needs variants: its values by name`, "/variants");
}

function commonType(variants: Feature["variants"]): FeatureType {
  const types = new Set(Object.values(variants).map(typeOf));
  const [type, ...others] = types;
  if (type !== undefined && others.length === 0) return type;
  throw new Invalid(
    "mixed_variants",
    "All variants of a feature have one type: boolean, string, number or object",
    "/variants",
  );
}

function checkValues(type: FeatureType, variants: Feature["variants"]): void {
  for (const [name, value] of Object.entries(variants))
    if (typeOf(value) !== type)
      throw new Invalid(
        "wrong_type",
        `The feature's type is ${type}, but variant "${name}" is ${describe(value)}`,
        `/variants/${escapeName(name)}`,
      );
}

/** undefined for null and lists, which no type of feature has. */
function typeOf(value: Json): FeatureType | undefined {
  if (value === null || Array.isArray(value)) return undefined;
  return typeof value as FeatureType;
}

function declared(name: string, variants: Feature["variants"], field: string): string {
  if (Object.hasOwn(variants, name)) return name;
  const names = Object.keys(variants).join(", ");
  throw new Invalid("unknown_variant", `There is no variant "${name}": use one of ${names}`, field);
}

type Shape = Pick<Feature, "key" | "type" | "variants" | "off_variant">;

function chooseSteps(
  write: FeatureWrite,
  shape: Shape,
  strategies: ReadonlyMap<string, Strategy>,
  stored: Feature | undefined,
): readonly Step[] {
  const complete = (steps: Parameters<typeof completeSteps>[0]) =>
    completeSteps(steps, { ...shape, strategies, stored });
  const before = stored === undefined ? NO_SHORTHAND : shorthandOf(stored);
  const shorthand = sentShorthand(write, before);
  const sent = write.steps === undefined ? undefined : complete(write.steps);
  if (sent === undefined) {
    if (stored !== undefined && sameJson(shorthand, before)) return complete(stored.steps);
    return complete(applyShorthand(shorthand, { ...shape, steps: stored?.steps ?? [] }));
  }
  const view = shorthandOf({ steps: sent, off_variant: shape.off_variant });
  const agrees = sameJson(sentShorthand(write, view), view);
  if (stored === undefined ? agrees : agrees || sameJson(shorthand, before)) return sent;
  if (stored !== undefined && sameJson(sent, stored.steps))
    return complete(applyShorthand(shorthand, { ...shape, steps: stored.steps }));
  throw new Invalid(
    "contradiction",
    `The steps and the shorthand say different things: the steps mean ${JSON.stringify(view)}. Send one of them`,
    "/steps",
  );
}

/** The shorthand as sent; what was left out is taken from `otherwise`. */
function sentShorthand(write: FeatureWrite, otherwise: Shorthand): Shorthand {
  return {
    rollout_percentage: write.rollout_percentage ?? otherwise.rollout_percentage,
    ml_enabled: write.ml_enabled ?? otherwise.ml_enabled,
    ml_threshold_mode: write.ml_threshold_mode ?? otherwise.ml_threshold_mode,
    ml_threshold_value: write.ml_threshold_value ?? otherwise.ml_threshold_value,
  };
}

/** A name inside a JSON pointer. */
function escapeName(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
