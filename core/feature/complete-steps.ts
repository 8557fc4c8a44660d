import type { Json } from "../json.ts";
import { Invalid } from "../ports.ts";
import type { Strategy } from "../strategy.ts";
import { checkJson } from "./bounded-json.ts";
import { checkOperators } from "./check-operators.ts";
import { type Condition, completeCondition } from "./condition.ts";
import type { Feature, Step } from "./feature.ts";
import { sameJson } from "./same-json.ts";
import type { WrittenStep } from "./shorthand.ts";

export interface CompleteStepsOptions extends Pick<Feature, "key" | "variants"> {
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** The feature as it is, on update. */
  readonly stored?: Feature | undefined;
}

/**
 * Steps as they are stored: each config parsed and completed by its strategy, seeds written down. A step that did not
 * change is taken over as it is, even when its strategy, or what else a plugin brought to it, is not loaded here, so that a
 * feature can always be switched off.
 * Throws Invalid naming the step and field.
 */
export function completeSteps(written: readonly WrittenStep[], options: CompleteStepsOptions): readonly Step[] {
  const steps = written.map((step, index) => {
    try {
      return completeStep(step, index, written, options);
    } catch (error) {
      const same = options.stored?.steps.find(({ id }) => id === step.id);
      if (same !== undefined && sameJson(same, step)) return same;
      throw error;
    }
  });
  const ids = new Set<string>();
  for (const [index, { id }] of steps.entries()) {
    if (ids.has(id))
      throw new Invalid("duplicate_step", `Two steps have the id "${id}": ids are unique`, `/steps/${index}/id`);
    ids.add(id);
  }
  return steps;
}

function completeStep(
  written: WrittenStep,
  index: number,
  all: readonly WrittenStep[],
  options: CompleteStepsOptions,
): Step {
  const { key, strategies, stored } = options;
  const same = stored?.steps.find((step) => step.id === written.id && step.strategy === written.strategy);
  const strategy = strategies.get(written.strategy);
  if (strategy === undefined)
    throw new Invalid(
      "unknown_strategy",
      `There is no strategy "${written.strategy}": use one of ${[...strategies.keys()].join(", ")}`,
      `/steps/${index}/strategy`,
    );
  if (written.when !== undefined) checkOperators(written.when, `/steps/${index}/when`);
  const field = `/steps/${index}/config`;
  const first =
    all.slice(0, index).every((step) => step.strategy !== written.strategy) &&
    (stored?.steps ?? []).every((step) => step.strategy !== written.strategy || step.id === written.id);
  const parsed = parseConfig(strategy, written.config ?? {}, field);
  const config = completeConfig(strategy, parsed, { feature_key: key, step_id: written.id, first, same }, field);
  for (const condition of contain(() => strategy.conditions?.(parsed), strategy.id, field) ?? [])
    checkOperators(condition, field + placeOf(condition, parsed));
  for (const variant of strategy.variants?.(config) ?? [])
    if (!Object.hasOwn(options.variants, variant))
      throw new Invalid(
        "unknown_variant",
        `Step "${written.id}" serves "${variant}", which the feature does not declare: it has ${Object.keys(options.variants).join(", ")}`,
        field,
      );
  return {
    id: written.id,
    strategy: written.strategy,
    ...(written.when === undefined ? {} : { when: completeCondition(written.when, `${key}#gate`) }),
    config: toJson(config, written.strategy, field),
    on_failure: written.on_failure,
    ...(written.budget_ms === undefined ? {} : { budget_ms: written.budget_ms }),
  };
}

function parseConfig(strategy: Strategy, config: Json, field: string): unknown {
  const parsed = contain(() => strategy.config.safeParse(config), strategy.id, field);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // A field that is not known is at fault itself, not what it stands in.
  const strangers = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...strangers].map(escapePart);
  throw new Invalid("invalid_config", `${strategy.id}: ${issue?.message ?? "wrong config"}`, field + path.join(""));
}

function escapePart(part: PropertyKey): string {
  return `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Where in a config one of its own conditions stands, as a JSON pointer; empty when it was made up. */
function placeOf(condition: Condition, config: unknown): string {
  if (typeof config !== "object" || config === null) return "";
  for (const [name, value] of Object.entries(config)) {
    if (value === condition) return escapePart(name);
    const inside = placeOf(condition, value);
    if (inside !== "") return escapePart(name) + inside;
  }
  return "";
}

function completeConfig(
  strategy: Strategy,
  config: unknown,
  about: { feature_key: string; step_id: string; first: boolean; same: Step | undefined },
  field: string,
): unknown {
  const { same, ...rest } = about;
  if (strategy.complete === undefined) return config;
  const previous = same === undefined ? {} : { previous: same.config };
  return contain(() => strategy.complete?.(config, { ...rest, ...previous }), strategy.id, field);
}

/** A strategy is someone else's code: what it throws is an answer about the config, not about us. */
function contain<T>(work: () => T, strategy: string, field: string): T {
  try {
    return work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Invalid("invalid_config", `${strategy} cannot use this config: ${why}`, field);
  }
}

function toJson(config: unknown, strategy: string, field: string): Json {
  const text = contain(() => JSON.stringify(config), strategy, field);
  const copy: unknown = text === undefined ? undefined : JSON.parse(text);
  const problem = checkJson(copy, 0);
  if (problem === undefined) return copy as Json;
  throw new Invalid("invalid_config", `${strategy} made a config that cannot be stored: ${problem}`, field);
}
