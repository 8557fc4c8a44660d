import type { Json } from "../json.ts";
import { Invalid } from "../ports.ts";
import type { Feature, Step } from "./feature.ts";
import { ThresholdMode } from "./feature-write.ts";

/** The base contract's view of a feature's steps. */
export interface Shorthand {
  /** Percent of units the step `rollout` serves something else than the off variant. 0 without one. */
  readonly rollout_percentage: number;
  readonly ml_enabled: boolean;
  readonly ml_threshold_mode: ThresholdMode;
  readonly ml_threshold_value: number;
}

export const NO_SHORTHAND: Shorthand = {
  rollout_percentage: 0,
  ml_enabled: false,
  ml_threshold_mode: "fixed",
  ml_threshold_value: 0.1,
};

/** The two steps the shorthand is a view of. */
const ROLLOUT = { id: "rollout", strategy: "hash-bucketing" } as const;
const MODEL = { id: "model", strategy: "ml-model" } as const;

/** Never throws: what the steps do not say is the default. A step `model` that is never asked is a model switched off. */
export function shorthandOf(feature: Pick<Feature, "steps" | "off_variant">): Shorthand {
  const rollout = feature.steps.find((step) => isStep(step, ROLLOUT));
  const model = feature.steps.find((step) => isStep(step, MODEL));
  const config = model === undefined ? {} : fieldsOf(model.config);
  const mode = ThresholdMode.safeParse(config.threshold_mode);
  return {
    rollout_percentage: rollout === undefined ? 0 : servedShare(armsOf(rollout), feature.off_variant),
    ml_enabled: model !== undefined && model.when !== false,
    ml_threshold_mode: mode.data ?? NO_SHORTHAND.ml_threshold_mode,
    ml_threshold_value:
      typeof config.threshold_value === "number" ? config.threshold_value : NO_SHORTHAND.ml_threshold_value,
  };
}

/** A step as it is written: its config not yet completed. */
export type WrittenStep = Omit<Step, "config"> & { readonly config?: Json | undefined };

/**
 * The steps with the shorthand's values in them; other steps stay as and where they are. Throws Invalid when a step has
 * more to it than the shorthand can say.
 */
export function applyShorthand(
  shorthand: Shorthand,
  feature: Pick<Feature, "type" | "variants" | "off_variant" | "steps">,
): readonly WrittenStep[] {
  const withRollout = applyRollout(shorthand, feature);
  return applyModel(shorthand, withRollout);
}

function applyRollout(
  { rollout_percentage }: Shorthand,
  { type, variants, off_variant, steps }: Pick<Feature, "type" | "variants" | "off_variant" | "steps">,
): readonly WrittenStep[] {
  const stored = steps.find((step) => isStep(step, ROLLOUT));
  if (stored !== undefined) {
    const arms = armsOf(stored);
    if (servedShare(arms, off_variant) === rollout_percentage) return steps;
    const served = arms.filter(({ variant }) => variant !== off_variant);
    if (served.length > 1 || arms.length > 2)
      throw new Invalid(
        "not_shorthand",
        'The step "rollout" has more arms than rollout_percentage can say: send steps instead',
        "/rollout_percentage",
      );
    const on = served[0]?.variant ?? onVariant(type, variants, off_variant);
    const config = { ...fieldsOf(stored.config), arms: onOff(on, off_variant, rollout_percentage) };
    return steps.map((step) => (step === stored ? { ...step, config } : step));
  }
  // A feature of another type has no on and off: at 0 it needs no step either.
  if (rollout_percentage === 0 && type !== "boolean") return steps;
  const arms = onOff(onVariant(type, variants, off_variant), off_variant, rollout_percentage);
  return [...steps, { ...ROLLOUT, config: { arms }, on_failure: "next" }];
}

function applyModel(shorthand: Shorthand, steps: readonly WrittenStep[]): readonly WrittenStep[] {
  const { rollout_percentage, ml_enabled, ml_threshold_mode, ml_threshold_value } = shorthand;
  const wanted = {
    threshold_mode: ml_threshold_mode,
    threshold_value: ml_threshold_value,
    share: rollout_percentage / 100,
  };
  const stored = steps.find((step) => isStep(step, MODEL));
  if (stored !== undefined) {
    if (!ml_enabled && stored.when !== undefined && typeof stored.when !== "boolean")
      throw new Invalid(
        "not_shorthand",
        'The step "model" has a condition of its own, which ml_enabled would undo: send steps instead',
        "/ml_enabled",
      );
    const { when, ...rest } = stored;
    const kept = !ml_enabled ? { when: false } : when === undefined || when === false ? {} : { when };
    const changed: WrittenStep = { ...rest, ...kept, config: { ...fieldsOf(stored.config), ...wanted } };
    return steps.map((step) => (step === stored ? changed : step));
  }
  const plain =
    ml_threshold_mode === NO_SHORTHAND.ml_threshold_mode && ml_threshold_value === NO_SHORTHAND.ml_threshold_value;
  if (!ml_enabled && plain) return steps;
  // What the contract means by a score: P(objective | user) against a threshold.
  const config = { mode: "propensity", ...wanted };
  const model: WrittenStep = { ...MODEL, ...(ml_enabled ? {} : { when: false }), config, on_failure: "next" };
  const rollout = steps.findIndex((step) => isStep(step, ROLLOUT));
  const at = rollout === -1 ? steps.length : rollout;
  return [...steps.slice(0, at), model, ...steps.slice(at)];
}

function isStep(step: WrittenStep, which: { readonly id: string; readonly strategy: string }): boolean {
  return step.id === which.id && step.strategy === which.strategy;
}

interface Arm {
  readonly variant: string | null;
  readonly weight: number;
}

function armsOf(step: WrittenStep): readonly Arm[] {
  const { arms } = fieldsOf(step.config);
  return Array.isArray(arms) ? (arms as readonly Arm[]) : [];
}

/** Rounded to the resolution of a weight: 0.1 + 0.2 is 0.3 here. */
function servedShare(arms: readonly Arm[], off: string): number {
  const sum = arms.reduce(
    (total, { variant, weight }) => (variant === null || variant === off ? total : total + weight),
    0,
  );
  return Math.round(sum * 1000) / 1000;
}

function onOff(on: string, off: string, percentage: number): Json {
  return [
    { variant: on, weight: percentage },
    { variant: off, weight: Math.round((100 - percentage) * 1000) / 1000 },
  ];
}

function onVariant(type: Feature["type"], variants: Feature["variants"], off: string): string {
  const others = Object.keys(variants).filter((name) => name !== off);
  const on = others.find((name) => name === "on" || (type === "boolean" && variants[name] === true));
  if (on !== undefined) return on;
  if (others.length === 1) return others[0] as string;
  throw new Invalid(
    "not_shorthand",
    `rollout_percentage cannot tell which of ${Object.keys(variants).join(", ")} to roll out: send steps instead`,
    "/rollout_percentage",
  );
}

function fieldsOf(config: Json | undefined): { readonly [name: string]: Json } {
  return typeof config === "object" && config !== null && !Array.isArray(config)
    ? (config as { readonly [name: string]: Json })
    : {};
}
