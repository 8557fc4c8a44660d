import type { Pmf } from "../../core/engine/distribution.ts";
import type { CompleteObjective } from "../../core/feature/objective.ts";
import {
  createMaturedDecisions,
  type DrawnDecision,
  type MaturedDecision,
} from "../../core/model/matured-decisions.ts";
import type { DecisionLog, LoggedDecisions, LoggedQuestion } from "../../core/off-policy/decision-log.ts";
import type { LoggedRow } from "../../core/off-policy/logged-row.ts";
import { epochLength } from "../../core/policy/assignment.ts";
import { Invalid } from "../../core/ports.ts";
import { texts } from "./array-literal.ts";
import { decisionStream } from "./decision-stream.ts";
import { type CountedOutcomes, type CountedTypes, rewardOf, toOutcomeEvent } from "./outcome-rows.ts";
import type { Sql } from "./sql.ts";
import { isObserved } from "./uplift-survey.ts";

const WEEK = 7 * 86_400_000;
/** Rows to a batch: the reader's thread is not kept for long by any. */
const BATCH = 500;
const HASHES = 2 ** 31;

/**
 * Drawn decisions, as served, with what became of them: for replay and for the promotion gate. Streams with a cursor, so
 * memory does not grow with exposures or events.
 *
 * Outcomes are counted as in training: events of the feature's key where it has any of these types, else of any key.
 */
export function decisionLog(sql: Sql): DecisionLog {
  return { read: (environment, question) => read(sql, environment, question) };
}

async function read(sql: Sql, environment: string, question: LoggedQuestion): Promise<LoggedDecisions> {
  const { objective, now, limit } = question;
  const first = await firstDrawn(sql, environment, question);
  const window =
    objective.window_seconds === undefined
      ? Math.max(1, Math.min(WEEK, (now - (first ?? now)) / 3))
      : objective.window_seconds * 1000;
  const until = now - window - objective.grace_seconds * 1000;
  const found = await countFound(sql, environment, question, until);
  const share = Math.min(1, limit / Math.max(1, found.drawn));
  const described = { window_seconds: window / 1000, found, share };
  if (first === null || found.drawn === 0) return { ...described, rows: nothing() };
  const outcomes = await requireOutcomes(sql, environment, question, first);
  return { ...described, rows: readRows(sql, { environment, question, window, until, share, first, outcomes }) };
}

async function* nothing(): AsyncIterable<readonly LoggedRow[]> {}

async function firstDrawn(sql: Sql, environment: string, question: LoggedQuestion): Promise<number | null> {
  const [row] = await sql<[{ first: number | null }]>`
    select floor(extract(epoch from min(at)) * 1000)::float8 as first from exposures
    where ${isAsked(sql, environment, question)} and ${isObserved(sql)} and probability < 1`;
  return row.first;
}

async function countFound(
  sql: Sql,
  environment: string,
  question: LoggedQuestion,
  until: number,
): Promise<LoggedDecisions["found"]> {
  const [row] = await sql<[LoggedDecisions["found"]]>`
    select
      (count(*) filter (where observed and probability < 1 and at <= ${iso(until)}::timestamptz))::float8 as drawn,
      (count(*) filter (where observed and probability < 1 and at > ${iso(until)}::timestamptz))::float8 as immature,
      (count(*) filter (where observed and probability >= 1))::float8 as certain,
      (count(*) filter (where not observed))::float8 as without_propensity
    from (
      select at, probability, coalesce(${isObserved(sql)}, false) as observed from exposures
      where ${isAsked(sql, environment, question)}
    ) as stored`;
  return row;
}

interface Outcomes extends CountedOutcomes {
  readonly types: readonly string[];
}

async function requireOutcomes(
  sql: Sql,
  environment: string,
  { feature_key, objective, event_types, now }: LoggedQuestion,
  first: number,
): Promise<Outcomes> {
  const types = [...new Set([...event_types, ...objective.guardrails.flatMap((guardrail) => guardrail.event_types)])];
  const rows = await sql<{ event_type: string; of_feature: boolean }[]>`
    select event_type, bool_or(feature_key = ${feature_key}) as of_feature from events
    where environment = ${environment} and event_type = any(${texts(types)}::text::text[])
      and "timestamp" >= ${iso(first)}::timestamptz and "timestamp" <= ${iso(now)}::timestamptz
    group by event_type`;
  if (!rows.some(({ event_type }) => event_types.includes(event_type)))
    throw new Invalid(
      "no_outcomes",
      `Cannot say what the decisions of "${feature_key}" were worth: none of the objective's events (${event_types.join(", ")}) has come since the first of them on ${iso(first)}. Name others in the feature's objective, or send them`,
    );
  const counted = (of: readonly string[]): CountedTypes => ({
    types: new Set(of),
    of_feature: rows.some(({ event_type, of_feature }) => of_feature && of.includes(event_type)),
  });
  return {
    objective: counted(event_types),
    guardrails: objective.guardrails.map((guardrail) => counted(guardrail.event_types)),
    types,
  };
}

interface Plan {
  readonly environment: string;
  readonly question: LoggedQuestion;
  /** Milliseconds. */
  readonly window: number;
  readonly until: number;
  readonly share: number;
  readonly first: number;
  readonly outcomes: Outcomes;
}

interface Decision extends DrawnDecision {
  readonly probabilities: Pmf;
}

async function* readRows(sql: Sql, plan: Plan): AsyncIterable<readonly LoggedRow[]> {
  const { question, window, outcomes } = plan;
  const { objective } = question;
  let batch: LoggedRow[] = [];
  const joined = createMaturedDecisions<Decision>(
    {
      window,
      grace: objective.grace_seconds * 1000,
      epoch: Math.max(epochLength(objective.window_seconds), epochLength(window / 1000)),
      guardrails: objective.guardrails.length,
    },
    (decision) => batch.push(toLoggedRow(decision, objective)),
  );
  const stream = decisionStream(sql, {
    environment: plan.environment,
    feature_key: question.feature_key,
    property: objective.value?.property ?? null,
    types: outcomes.types,
    from: plan.first,
    before: Math.min(question.now, question.to + window),
    until: plan.until,
    probabilities: true,
    decision: isAsked(sql, plan.environment, question),
    both: sql`(hashtext(user_id)::bigint + ${HASHES} < ${Math.ceil(plan.share * 2 * HASHES)})`,
  });
  for await (const rows of stream.cursor(BATCH)) {
    for (const row of rows)
      if (row.f === null) joined.happened(toOutcomeEvent(row, outcomes));
      else
        joined.decided({
          user_id: row.u,
          at: row.t,
          row: row.f,
          variant: row.v,
          probability: row.p,
          probabilities: row.d as Pmf,
        });
    yield batch;
    batch = [];
  }
  joined.finish();
  yield batch;
}

function toLoggedRow(decision: MaturedDecision<Decision>, objective: CompleteObjective): LoggedRow {
  const { user_id, at, row, variant, probability, probabilities, reached, amount, guardrails } = decision;
  const reward = rewardOf(reached, amount, objective);
  return { unit: user_id, at, row, variant, probability, probabilities, reward, guardrails };
}

/** SQL: an exposure of the feature in the time asked about. */
function isAsked(sql: Sql, environment: string, { feature_key, from, to }: LoggedQuestion) {
  return sql`(environment = ${environment} and feature_key = ${feature_key}
    and at >= ${iso(from)}::timestamptz and at < ${iso(to)}::timestamptz)`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
