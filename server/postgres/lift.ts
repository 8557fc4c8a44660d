import type { GroupOutcome, Groups } from "../../core/experiment/holdout-counts.ts";
import type { DecisionCount, HeldOut, LiftQuestion, LiftStore } from "../../core/experiment/lift-store.ts";
import { plain, texts } from "./array-literal.ts";
import type { Sql } from "./sql.ts";

const BATCH = 5000;

/** What `exposures` and `events` say about a feature's model group and its holdout. */
export function liftStore(sql: Sql): LiftStore {
  return {
    async counts(question) {
      const rows = await sql<CountRow[]>`
        with ${histories(sql, question, question.guardrails)}, groups as (
          select held, count(*) filter (where matured) as users, count(*) filter (where not matured) as immature
          from firsts group by held
        ), outcomes as (
          select held, measure, ${outcome(sql, question)} as outcome
          from histories where matured and in_window group by user_id, held, measure
        ), reached as (
          select held, measure, count(*) as reached, sum(outcome) as sum, sum(outcome * outcome) as squares
          from outcomes group by held, measure
        )
        select held, users, immature, measure, coalesce(reached, 0) as reached, coalesce(sum, 0)::float8 as sum,
          coalesce(squares, 0)::float8 as squares
        from groups left join reached using (held)`;
      const groups = (measure: number): Groups => ({
        model: outcomeOf(rows, false, measure),
        holdout: outcomeOf(rows, true, measure),
      });
      const immature = new Map(rows.map((row) => [row.held, row.immature]));
      return {
        objective: groups(0),
        guardrails: question.guardrails.map((_, i) => groups(i + 1)),
        immature_users: (immature.get(true) ?? 0) + (immature.get(false) ?? 0),
      };
    },

    async heldOut(question, found) {
      const users = sql<HeldOut[]>`
        with ${histories(sql, question, [])}
        select user_id, max(variant) as variant, (${outcome(sql, question)})::float8 as outcome
        from histories where held and matured group by user_id`;
      for await (const batch of users.cursor(BATCH)) for (const user of batch) found(user);
    },

    async decisions({ environment, feature_key, from, to }) {
      return sql<DecisionCount[]>`
        select decision_source, fallback_cause, count(*) as decisions from exposures
        where environment = ${environment} and feature_key = ${feature_key}
          and at between ${iso(from)}::timestamptz and ${iso(to)}::timestamptz
        group by decision_source, fallback_cause order by decisions desc, decision_source, fallback_cause`;
    },
  };
}

interface CountRow {
  readonly held: boolean;
  readonly users: number;
  readonly immature: number;
  /** null: nobody of the group reached anything. */
  readonly measure: number | null;
  readonly reached: number;
  readonly sum: number;
  readonly squares: number;
}

function outcomeOf(rows: readonly CountRow[], held: boolean, measure: number): GroupOutcome {
  const users = rows.find((row) => row.held === held)?.users ?? 0;
  const { reached = 0, sum = 0, squares = 0 } = rows.find((row) => row.held === held && row.measure === measure) ?? {};
  return { users, reached, sum, squares };
}

/**
 * `firsts`: each user's first decision that a learning step made, or failed to make. Whoever was not held out belongs to the
 * model group whatever came of it, or those it is unsure about would drop out of one group only.
 *
 * `histories`: these decisions, and what their users did: measure 0 is the objective, 1 and up are guardrails. Of each, the
 * events with the feature's key where there are any, else those of the whole environment, as in training. Sorted together
 * rather than joined: with tables it has no statistics of, PostgreSQL would compare every decision with every event.
 */
function histories(sql: Sql, question: LiftQuestion, guardrails: LiftQuestion["guardrails"]) {
  const { environment, feature_key, steps, from, to, window, grace, event_types, value } = question;
  const asked = [event_types, ...guardrails.map((guardrail) => guardrail.event_types)].flatMap((types, measure) =>
    [...new Set(types)].map((type) => ({ measure, type })),
  );
  const property = value?.property ?? null;
  return sql`firsts as materialized (
    select distinct on (user_id) user_id, at, variant, decision_source = 'holdout' as held,
      at <= ${iso(to - window - grace)}::timestamptz as matured
    from exposures
    where environment = ${environment} and feature_key = ${feature_key} and user_id <> ''
      and at between ${iso(from)}::timestamptz and ${iso(to)}::timestamptz
      and (step = any(${texts(steps)}::text::text[]) or fallback_from = any(${texts(steps)}::text::text[]))
    order by user_id, at
  ), asked as materialized (
    select * from unnest(
      ${plain(asked.map(({ measure }) => measure))}::text::int[],
      ${texts(asked.map(({ type }) => type))}::text::text[]) as asked (measure, event_type)
  ), happened as materialized (
    select user_id, "timestamp" as at, measure, feature_key = ${feature_key} as own,
      case when jsonb_typeof(properties -> ${property}::text) = 'number'
        then (properties ->> ${property}::text)::float8 end as value
    from events join asked using (event_type)
    where environment = ${environment}
      and "timestamp" >= ${iso(from)}::timestamptz and "timestamp" < ${iso(to)}::timestamptz
  ), scoped as materialized (
    select measure, bool_or(own) as own_only from happened group by measure
  ), told as (
    select user_id, at as decided_at, held, matured, variant, null::timestamptz as at, null::int as measure,
      null::float8 as value
    from firsts
    union all
    select user_id, null, null, null, null, at, measure, value
    from happened join scoped using (measure) where own or not own_only
  ), gathered as (
    select user_id, variant, at, measure, value, max(decided_at) over whose as decided_at,
      bool_or(held) over whose as held, bool_or(matured) over whose as matured
    from told window whose as (partition by user_id)
  ), histories as (
    select user_id, variant, held, matured, measure, value,
      coalesce(at >= decided_at and at < decided_at + make_interval(secs => ${window / 1000}::float8), false) as in_window
    from gathered)`;
}

/** Of the histories of one user and measure. */
function outcome(sql: Sql, { value }: LiftQuestion) {
  if (value === null) return sql`coalesce(max(1) filter (where in_window), 0)`;
  return sql`
    case when max(measure) > 0 then 1
      else least(greatest(coalesce(sum(value) filter (where in_window), 0), 0), ${value.cap}::float8) end`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
