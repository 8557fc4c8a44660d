import { FEATURE_SCHEMA, type FeatureRow } from "../../core/model/feature-row.ts";
import { texts } from "./array-literal.ts";
import type { Sql } from "./sql.ts";

/** Exposures a check looks at. */
export interface CheckedRange {
  readonly environment: string;
  readonly feature_keys: readonly string[];
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
  /** Only those of every n-th user, by a hash; a power of 2. */
  readonly every: number;
}

/** What becomes of a decision: the events that count, and for how long after it. */
export interface OutcomeDefinition {
  readonly event_types: readonly string[];
  readonly window_seconds: number;
  readonly grace_seconds: number;
  /** null: whether an event came. Else the sum of this property, as a share of the cap. */
  readonly value: { readonly property: string; readonly cap: number } | null;
  readonly guardrails: readonly { readonly event_types: readonly string[] }[];
}

/** A user's decision, what may have been served instead, and, once known, its outcome. */
export interface CheckedDecision {
  readonly user_id: string;
  readonly at: number;
  readonly variant: string;
  readonly probabilities: Readonly<Record<string, number>> | null;
  readonly row: FeatureRow;
  /** 0..1; null: not known yet. */
  readonly reward: number | null;
}

/** A user whose outcome is known: held out, or left to the models. */
export interface ComparedUser {
  readonly user_id: string;
  readonly at: number;
  readonly held_out: boolean;
  readonly reward: number;
  /** 0 or 1, one a guardrail. */
  readonly guardrails: readonly number[];
}

const BATCH = 500;

/** How many exposures there are, in all and in the last day. */
export async function surveyExposures(
  sql: Sql,
  range: CheckedRange,
): Promise<{ readonly total: number; readonly recent: number }> {
  const [counts] = await sql<[{ total: number; recent: number }]>`
    select count(*)::float8 as total,
      count(*) filter (where at >= ${iso(range.until)}::timestamptz - interval '1 day')::float8 as recent
    from exposures where ${isChecked(sql, range)}`;
  return counts;
}

/** Of which users to look at exposures, so that at most `rows` of them come. */
export function everyFor(total: number, rows: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(total / rows)));
}

/** The latest feature row of each looked-at user. */
export async function* latestRows(sql: Sql, range: CheckedRange): AsyncGenerator<FeatureRow> {
  const rows = sql<{ row: FeatureRow }[]>`
    select distinct on (user_id) features as row
    from exposures where ${isChecked(sql, range)}
    order by user_id, at desc`;
  for await (const batch of rows.cursor(BATCH)) for (const { row } of batch) yield row;
}

/** The first exposure of each looked-at user, in the order of time, with its outcome where that is known by now. */
export async function* firstExposures(
  sql: Sql,
  range: CheckedRange,
  outcome: OutcomeDefinition | null,
): AsyncGenerator<CheckedDecision> {
  const events = await countedEvents(sql, range, outcome);
  const { counted, known } = events;
  const rows = sql<(Omit<CheckedDecision, "reward"> & Happened & { readonly known: boolean })[]>`
    with firsts as materialized (
      select distinct on (user_id) user_id, at, variant, probabilities, features
      from exposures where ${isChecked(sql, range)}
      order by user_id, at)
    select firsts.user_id, floor(extract(epoch from firsts.at) * 1000)::float8 as at, variant, probabilities, features as row,
      firsts.at <= ${iso(known)}::timestamptz as known, types, amount
    from firsts ${outcomeOf(sql, range, outcome, events)}
    order by firsts.at`;
  for await (const batch of rows.cursor(BATCH))
    for (const { types, amount, known: isKnown, ...decision } of batch)
      yield { ...decision, reward: counted === null || !isKnown ? null : counted({ types, amount }).reward };
}

/**
 * Every user's first decision by one of the learning steps, held out or not, in the order of time, with its outcome; only
 * those whose outcome is known.
 *
 * @param steps ids of the feature's learning steps: decided, or fallen back from
 */
export async function* comparedUsers(
  sql: Sql,
  range: CheckedRange,
  steps: readonly string[],
  outcome: OutcomeDefinition,
): AsyncGenerator<ComparedUser> {
  const events = await countedEvents(sql, range, outcome);
  const { counted, known } = events;
  const rows = sql<({ readonly user_id: string; readonly at: number; readonly held_out: boolean } & Happened)[]>`
    with firsts as materialized (
      select distinct on (user_id) user_id, at, decision_source = 'holdout' as held_out
      from exposures
      where ${isChecked(sql, range)} and at <= ${iso(known)}::timestamptz and probabilities is not null
        and decision_source <> 'experiment'
        and (step = any(${texts(steps)}::text::text[]) or fallback_from = any(${texts(steps)}::text::text[]))
      order by user_id, at)
    select firsts.user_id, floor(extract(epoch from firsts.at) * 1000)::float8 as at, held_out, types, amount
    from firsts ${outcomeOf(sql, range, outcome, events)}
    order by firsts.at`;
  for await (const batch of rows.cursor(BATCH))
    for (const { types, amount, ...user } of batch) yield { ...user, ...(counted as Counted)({ types, amount }) };
}

/** Event types that came within the window, and whether with the feature's key; null: none. The sum of the property. */
interface Happened {
  readonly types: readonly (readonly [type: string, ofFeature: boolean])[] | null;
  readonly amount: number | null;
}

type Counted = (happened: Happened) => Pick<ComparedUser, "reward" | "guardrails">;

interface CountedEvents {
  /** null: nothing is an outcome. */
  readonly counted: Counted | null;
  /** Decisions until then have an outcome by now, milliseconds since the epoch. */
  readonly known: number;
  /** Only the objective's events with the feature's key count. */
  readonly of_feature: boolean;
}

async function countedEvents(
  sql: Sql,
  { environment, feature_keys, until }: CheckedRange,
  outcome: OutcomeDefinition | null,
): Promise<CountedEvents> {
  if (outcome === null) return { counted: null, known: 0, of_feature: false };
  const { window_seconds, grace_seconds, value, guardrails } = outcome;
  // As in training: of the feature's key alone where the feature has events of these types.
  const rows = await sql<{ event_type: string }[]>`
    select distinct event_type from events
    where environment = ${environment} and feature_key = any(${texts(feature_keys)}::text::text[])
      and event_type = any(${texts(typesOf(outcome))}::text::text[])`;
  const own = new Set(rows.map(({ event_type }) => event_type));
  const counter = (types: readonly string[]) => {
    const ofFeature = types.some((type) => own.has(type));
    return (found: NonNullable<Happened["types"]>) =>
      found.some(([type, isOfFeature]) => types.includes(type) && (isOfFeature || !ofFeature)) ? 1 : 0;
  };
  const objective = counter(outcome.event_types);
  const harms = guardrails.map(({ event_types }) => counter(event_types));
  return {
    known: until - (window_seconds + grace_seconds) * 1000,
    of_feature: outcome.event_types.some((type) => own.has(type)),
    counted: ({ types, amount }) => {
      const reached = types === null ? 0 : objective(types);
      const reward = value === null ? reached : reached * (Math.min(Math.max(amount ?? 0, 0), value.cap) / value.cap);
      return { reward, guardrails: harms.map((harm) => (types === null ? 0 : harm(types))) };
    },
  };
}

function outcomeOf(
  sql: Sql,
  { environment, feature_keys }: CheckedRange,
  outcome: OutcomeDefinition | null,
  { known, of_feature }: CountedEvents,
) {
  if (outcome === null) return sql`cross join (select null::json as types, null::float8 as amount) as nothing`;
  const { event_types, value, window_seconds } = outcome;
  const property = value?.property ?? null;
  return sql`
    left join lateral (
      select json_agg(distinct jsonb_build_array(event_type, feature_key = any(${texts(feature_keys)}::text::text[]))) as types,
        sum((properties ->> ${property}::text)::float8) filter (
          where event_type = any(${texts(event_types)}::text::text[])
            and (feature_key = any(${texts(feature_keys)}::text::text[]) or not ${of_feature})
            and jsonb_typeof(properties -> ${property}::text) = 'number') as amount
      from events
      where events.environment = ${environment} and events.user_id = firsts.user_id
        and events."timestamp" >= firsts.at
        and events."timestamp" < firsts.at + ${window_seconds}::float8 * interval '1 second'
        and event_type = any(${texts(typesOf(outcome))}::text::text[])
    ) as happened on firsts.at <= ${iso(known)}::timestamptz`;
}

function typesOf({ event_types, guardrails }: OutcomeDefinition): readonly string[] {
  return [...new Set([...event_types, ...guardrails.flatMap((guardrail) => guardrail.event_types)])];
}

/** SQL: an exposure of the range with a feature row of this release's schema. */
function isChecked(sql: Sql, { environment, feature_keys, since, until, every }: CheckedRange) {
  return sql`
    environment = ${environment} and feature_key = any(${texts(feature_keys)}::text::text[])
    and at >= ${iso(since)}::timestamptz and at <= ${iso(until)}::timestamptz
    and (${every} = 1 or hashtext(user_id) & ${every - 1}::int = 0)
    and features is not null and (features ->> 'schema')::int = ${FEATURE_SCHEMA}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
