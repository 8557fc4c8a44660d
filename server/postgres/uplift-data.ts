import type { CompleteObjective } from "../../core/feature/objective.ts";
import { type Dataset, datasetBuilder } from "../../core/model/dataset.ts";
import { createMaturedDecisions, type MaturedDecision } from "../../core/model/matured-decisions.ts";
import { epochLength } from "../../core/policy/assignment.ts";
import { texts } from "./array-literal.ts";
import { decisionStream } from "./decision-stream.ts";
import { rewardOf, toOutcomeEvent } from "./outcome-rows.ts";
import type { Sql } from "./sql.ts";
import { isEnough } from "./training-survey.ts";
import {
  type Drawn,
  isObserved,
  type OutcomeTypes,
  requireDrawn,
  requireOutcomes,
  surveyDrawn,
  type UpliftRequest,
} from "./uplift-survey.ts";

/** Which of the feature's exposures were used, and why the others were not. */
export interface ExposuresUsed {
  readonly total: number;
  readonly used: number;
  /** Window and grace have not passed. */
  readonly immature: number;
  /** A later one of the same user and epoch. */
  readonly repeated: number;
  /** Without probabilities, or without a feature row of the present schema. */
  readonly without_propensity: number;
  /** The served variant was certain: nothing can be compared. */
  readonly certain: number;
  /** Of variants the feature does not have any more. */
  readonly deleted_variant: number;
  /** Beyond 20 of a user, evenly spread. */
  readonly capped: number;
  /** Outcome events that came after window and grace, and still counted. */
  readonly late_events: number;
  /** Of those used, ISO; null when there are none. */
  readonly first_at: string | null;
  readonly last_at: string | null;
}

export interface UpliftData {
  /** Arms: the safe one first, then those that were drawn, in the feature's order. */
  readonly dataset: Dataset;
  readonly exposures: ExposuresUsed;
}

type OnProgress = (progress: number, stage: string) => void;

const WEEK = 7 * 86_400_000;
const BATCH = 2000;

/**
 * Reads what an uplift model is learned from: the feature's drawn decisions, features as served, joined with the objective's
 * and the guardrails' events. Streams users one after another with a cursor: PostgreSQL sorts on disk, and here memory grows
 * with the examples, not with exposures or events (docs/decisions/0085-uplift-training-data.md).
 *
 * When nobody names the window it is a third of the time observed, at most a week; and when that leaves too little, the time
 * within which nine of ten users who reached the objective did so.
 *
 * @param onProgress called with the share read, 0..1, and what is being read, in words
 * @throws Invalid `no_exposures`, `one_arm`, `one_class` or `insufficient_data`: what was found and what is needed
 */
export async function readUpliftData(
  sql: Sql,
  environment: string,
  request: UpliftRequest,
  onProgress: OnProgress = () => {},
): Promise<UpliftData> {
  onProgress(0, "counting decisions");
  const drawn = await surveyDrawn(sql, environment, request);
  const outcomes = await requireOutcomes(sql, environment, request, drawn);
  const asked = request.window_seconds ?? request.objective.window_seconds;
  const window = asked === undefined ? Math.max(1, Math.min(WEEK, (request.now - drawn.first) / 3)) : asked * 1000;
  requireDrawn(request, drawn, asked === undefined ? null : window);
  const plan = { environment, request, drawn, outcomes };
  const data = await read(sql, { ...plan, window }, onProgress);
  if (asked !== undefined || isEnough(data.dataset)) return data;
  const usual = await usualDelay(sql, { ...plan, window });
  if (usual === undefined || usual > WEEK || usual === window) return data;
  const again = await read(sql, { ...plan, window: usual }, onProgress);
  return isEnough(again.dataset) ? again : data;
}

interface Plan {
  readonly environment: string;
  readonly request: UpliftRequest;
  readonly drawn: Drawn;
  readonly outcomes: OutcomeTypes;
  /** Milliseconds. */
  readonly window: number;
}

async function read(sql: Sql, plan: Plan, onProgress: OnProgress): Promise<UpliftData> {
  const { request, drawn, outcomes, window } = plan;
  const { objective, now } = request;
  const grace = objective.grace_seconds * 1000;
  const builder = datasetBuilder({ arms: drawn.arms, guardrail_count: objective.guardrails.length });
  // A draw holds for an epoch of the objective's own window, whatever window is learned with.
  const epoch = Math.max(epochLength(objective.window_seconds), epochLength(window / 1000));
  const joined = createMaturedDecisions({ window, grace, epoch, guardrails: objective.guardrails.length }, (decision) =>
    builder.add(toExample(decision, objective)),
  );
  const total = drawn.learnable + outcomes.events;
  let seen = 0;
  let mature = 0;
  const stream = decisionStream(sql, {
    environment: plan.environment,
    feature_key: request.feature_key,
    property: objective.value?.property ?? null,
    types: outcomes.types,
    from: drawn.first,
    before: Math.min(now, drawn.last + window),
    until: now - window - grace,
    probabilities: false,
    decision: sql`variant = any(${texts(drawn.arms)}::text::text[])`,
    both: sql`true`,
  });
  for await (const rows of stream.cursor(BATCH)) {
    for (const row of rows)
      if (row.f === null) joined.happened(toOutcomeEvent(row, outcomes));
      else {
        mature++;
        joined.decided({ user_id: row.u, at: row.t, row: row.f, variant: row.v, probability: row.p });
      }
    seen += rows.length;
    onProgress(Math.min(1, seen / total), `reading decisions and outcomes: ${seen} of ${total}`);
  }
  joined.finish();
  const { users, used, repeated, capped, late, first_at, last_at } = joined.counts;
  const immature = drawn.learnable - mature;
  const dataset = builder.build({
    total_events: outcomes.events,
    unique_users: users,
    positive_events: outcomes.objective_events,
    moments: "exposures",
    window_seconds: window / 1000,
    positive_event_types: request.event_types,
    immature,
    capped: repeated + capped,
    data_window: { from: new Date(drawn.first).toISOString(), to: new Date(now).toISOString() },
  });
  const { total: all, without_propensity, certain, deleted_variant } = drawn;
  const isoOf = (time: number) => (Number.isNaN(time) ? null : new Date(time).toISOString());
  return {
    dataset,
    exposures: {
      total: all,
      used,
      immature,
      repeated,
      without_propensity,
      certain,
      deleted_variant,
      capped,
      late_events: late,
      first_at: isoOf(first_at),
      last_at: isoOf(last_at),
    },
  };
}

function toExample(decision: MaturedDecision, objective: CompleteObjective) {
  const { user_id, at, row, variant, probability, reached, amount, guardrails } = decision;
  return {
    unit: user_id,
    at,
    row,
    arm: variant,
    probability,
    label: reached,
    value: rewardOf(reached, amount, objective),
    guardrails,
  };
}

/**
 * Milliseconds within which nine of ten users who reached the objective after their first decision did so for the first
 * time; undefined: there are none.
 */
async function usualDelay(sql: Sql, { environment, request, outcomes }: Plan): Promise<number | undefined> {
  const { feature_key, now } = request;
  const ofFeature = outcomes.objective.of_feature ? sql`and e.feature_key = ${feature_key}` : sql``;
  const [row] = await sql<[{ delay: number | null }]>`
    with firsts as (
      select user_id, min(at) as at from exposures
      where environment = ${environment} and feature_key = ${feature_key}
        and ${isObserved(sql)} and probability < 1
      group by user_id
    ), delays as (
      select extract(epoch from min(e."timestamp") - f.at) * 1000 as delay
      from firsts f join events e on e.user_id = f.user_id
      where e.environment = ${environment} and e.event_type = any(${texts([...outcomes.objective.types])}::text::text[])
        and e."timestamp" >= f.at and e."timestamp" <= ${new Date(now).toISOString()}::timestamptz ${ofFeature}
      group by f.user_id, f.at
    )
    select (percentile_disc(0.9) within group (order by delay))::float8 as delay from delays`;
  // The window is open at its end.
  return row.delay === null ? undefined : Math.ceil(row.delay) + 1;
}
