import type { CompleteObjective } from "../../core/feature/objective.ts";
import { FEATURE_SCHEMA } from "../../core/model/feature-row.ts";
import { MIN_EXAMPLES, MIN_OF_EACH_CLASS } from "../../core/model/require-trainable.ts";
import { Invalid } from "../../core/ports.ts";
import { texts } from "./array-literal.ts";
import type { CountedOutcomes, CountedTypes } from "./outcome-rows.ts";
import type { Sql, Transaction } from "./sql.ts";
import { commonEventTypes } from "./training-survey.ts";

/** What an uplift model is learned from. */
export interface UpliftRequest {
  readonly feature_key: string;
  /** The feature's variants in their order. */
  readonly variants: readonly string[];
  readonly objective: CompleteObjective;
  /** The objective's, or what the request or the settings say instead. */
  readonly event_types: readonly string[];
  /** Attribution window; null: chosen from the data. */
  readonly window_seconds: number | null;
  /** Milliseconds since the epoch: windows that end later have not passed. */
  readonly now: number;
}

/** The decisions of a feature that were drawn, and those that were not. Times in milliseconds since the epoch. */
export interface Drawn {
  readonly total: number;
  /** Drawn with a probability between 0 and 1, of a variant the feature still has. */
  readonly learnable: number;
  readonly without_propensity: number;
  readonly certain: number;
  readonly deleted_variant: number;
  /** Variants that were drawn: the safe one first, then the others in the feature's order. */
  readonly arms: readonly string[];
  /** Of the learnable ones; NaN without any. */
  readonly first: number;
  readonly last: number;
}

/** Which events are outcomes. */
export interface OutcomeTypes extends CountedOutcomes {
  /** All of them together. */
  readonly types: readonly string[];
  /** Since the first learnable decision: of all these types, and of the objective alone. */
  readonly events: number;
  readonly objective_events: number;
}

/** SQL: an exposure with a propensity above 0 and a feature row of this schema. */
export function isObserved(sql: Sql | Transaction) {
  return sql`(probabilities is not null and probability > 0
    and features is not null and (features ->> 'schema')::int = ${FEATURE_SCHEMA})`;
}

export async function surveyDrawn(
  sql: Sql,
  environment: string,
  { feature_key, variants, objective, now }: UpliftRequest,
): Promise<Drawn> {
  const rows = await sql<
    { variant: string; total: number; observed: number; learnable: number; first: number; last: number }[]
  >`
    select variant, count(*)::float8 as total, count(*) filter (where observed)::float8 as observed,
      count(*) filter (where learnable)::float8 as learnable,
      floor(extract(epoch from min(at) filter (where learnable)) * 1000)::float8 as first,
      floor(extract(epoch from max(at) filter (where learnable)) * 1000)::float8 as last
    from (
      select variant, at, observed, observed and probability < 1 as learnable
      from (
        select variant, at, probability, ${isObserved(sql)} as observed from exposures
        where environment = ${environment} and feature_key = ${feature_key}
          and at <= ${new Date(now).toISOString()}::timestamptz
      ) as stored
    ) as judged
    group by variant`;
  const { safe_variant } = objective;
  const learnable = new Map(rows.map((row) => [row.variant, row.learnable]));
  const arms = [safe_variant, ...variants.filter((name) => name !== safe_variant)].filter(
    (name) => (learnable.get(name) ?? 0) > 0,
  );
  const known = rows.filter(({ variant }) => arms.includes(variant));
  const sum = (count: (row: (typeof rows)[number]) => number, of: readonly (typeof rows)[number][] = rows) =>
    of.reduce((total, row) => total + count(row), 0);
  return {
    total: sum((row) => row.total),
    learnable: sum((row) => row.learnable, known),
    without_propensity: sum((row) => row.total - row.observed),
    certain: sum((row) => row.observed - row.learnable),
    deleted_variant: sum((row) => (variants.includes(row.variant) ? 0 : row.learnable)),
    arms,
    first: known.length === 0 ? Number.NaN : Math.min(...known.map(({ first }) => first)),
    last: known.length === 0 ? Number.NaN : Math.max(...known.map(({ last }) => last)),
  };
}

/**
 * Which events are outcomes: of the feature's key alone where the feature has any of these types since its first decision.
 *
 * @throws Invalid `no_exposures` when there is no drawn decision, `one_class` when the objective's events never came
 */
export async function requireOutcomes(
  sql: Sql,
  environment: string,
  { feature_key, objective, event_types, now }: UpliftRequest,
  drawn: Drawn,
): Promise<OutcomeTypes> {
  if (drawn.learnable === 0) throw noExposures(feature_key, drawn);
  const types = [...new Set([...event_types, ...objective.guardrails.flatMap((guardrail) => guardrail.event_types)])];
  const rows = await sql<{ event_type: string; events: number; of_feature: number }[]>`
    select event_type, count(*)::float8 as events, count(*) filter (where feature_key = ${feature_key})::float8 as of_feature
    from events
    where environment = ${environment} and event_type = any(${texts(types)}::text::text[])
      and "timestamp" >= ${new Date(drawn.first).toISOString()}::timestamptz
      and "timestamp" <= ${new Date(now).toISOString()}::timestamptz
    group by event_type`;
  const count = (of: readonly string[], what: "events" | "of_feature") =>
    rows.reduce((sum, row) => sum + (of.includes(row.event_type) ? row[what] : 0), 0);
  const counted = (of: readonly string[]): CountedTypes => ({
    types: new Set(of),
    of_feature: count(of, "of_feature") > 0,
  });
  if (count(event_types, "events") === 0)
    throw new Invalid(
      "one_class",
      `Cannot train: none of the objective's events (${event_types.join(", ")}) has come since the first decision of "${feature_key}" on ${new Date(drawn.first).toISOString()}; ${await commonEventTypes(sql, environment)}. Name others in the feature's objective, or in positive_event_types`,
      "/positive_event_types",
    );
  const own = counted(event_types);
  return {
    objective: own,
    guardrails: objective.guardrails.map((guardrail) => counted(guardrail.event_types)),
    types,
    events: count(types, "events"),
    objective_events: count(event_types, own.of_feature ? "of_feature" : "events"),
  };
}

/**
 * @param window milliseconds, when somebody named it
 * @throws Invalid `one_arm` when nothing can be compared, `insufficient_data` when no window can have passed
 */
export function requireDrawn(
  { feature_key, variants, objective, now }: UpliftRequest,
  { arms, first, learnable }: Drawn,
  window: number | null,
): void {
  const [only] = arms;
  if (arms.length < 2 || only !== objective.safe_variant) {
    const found =
      arms.length < 2
        ? `all ${learnable} drawn decisions of "${feature_key}" served the variant "${only}"`
        : `none of the ${learnable} drawn decisions of "${feature_key}" served its safe variant "${objective.safe_variant}"`;
    throw new Invalid(
      "one_arm",
      `Cannot train: ${found}. Uplift compares the safe variant "${objective.safe_variant}" with another of ${variants.join(", ")}: both must have been drawn, as a rollout below 100 % or the objective's exploration does`,
    );
  }
  const wait = (window ?? 0) + objective.grace_seconds * 1000;
  if (first + wait > now)
    throw new Invalid(
      "insufficient_data",
      `Cannot train: the window of ${(window ?? 0) / 1000} seconds${objective.grace_seconds > 0 ? ` and the grace of ${objective.grace_seconds}` : ""} has passed for none of the ${learnable} drawn decisions of "${feature_key}": the first is of ${new Date(first).toISOString()}, ${Math.floor((now - first) / 1000)} seconds ago. Wait, or ask for a shorter window_seconds`,
      "/window_seconds",
    );
}

function noExposures(feature_key: string, { total, certain, without_propensity, deleted_variant }: Drawn): Invalid {
  const found =
    total === 0
      ? "there are no stored decisions"
      : `of ${total} stored decisions, ${certain} served a variant that was certain, ${without_propensity} have no probabilities and ${deleted_variant} are of variants that no longer exist`;
  return new Invalid(
    "no_exposures",
    `Cannot train "${feature_key}" on what its variants cause: ${found}. At least ${MIN_EXAMPLES} decisions drawn between variants are needed, ${MIN_OF_EACH_CLASS} of them followed by the objective: an objective with exploration, or a rollout below 100 %, draws`,
  );
}
