import type { Objective } from "../../core/feature/objective.ts";
import { type Dataset, datasetBuilder } from "../../core/model/dataset.ts";
import { FEATURE_SCHEMA, type FeatureRow } from "../../core/model/feature-row.ts";
import { createMoments, type Happening } from "../../core/model/moments.ts";
import { MIN_EXAMPLES } from "../../core/model/require-trainable.ts";
import { Invalid, type TrainingRequest } from "../../core/ports.ts";
import { texts } from "./array-literal.ts";
import type { Sql } from "./sql.ts";
import { type Funnel, isEnough, requireEvents, type Survey, survey } from "./training-survey.ts";

/** What a request leaves open: the settings' event types and, first, the feature's objective. */
export interface TrainingDefaults {
  readonly positive_event_types: readonly string[];
  readonly view_event_types: readonly string[];
  readonly funnel: Funnel;
  readonly objective?: Objective | null | undefined;
}

type OnProgress = (progress: number, stage: string) => void;

const WEEK = 7 * 86_400_000;
const BATCH = 5000;

/**
 * Reads what a training request needs, streaming users one after another with a cursor: memory grows with the examples,
 * not with the events.
 *
 * Moments are, with `cut`, one for every user known by then; else the feature's stored decisions, when enough of them have
 * an outcome; else the users' view events, or, where there are none, any of their events. Outcomes are positive events of
 * the feature when it has any; else of the whole environment, if the request or the objective names them. Profiles always
 * cover the whole environment, as in serving.
 *
 * @param onProgress called with the share read, 0..1, and what is being read, in words
 * @throws Invalid `no_events`, `no_outcomes`, `one_class` or `insufficient_data`: the message says what was found and what is needed
 */
export async function readDataset(
  sql: Sql,
  environment: string,
  request: TrainingRequest,
  defaults: TrainingDefaults,
  onProgress: OnProgress = () => {},
): Promise<Dataset> {
  onProgress(0, "counting events");
  const positiveTypes =
    request.positive_event_types ?? defaults.objective?.event_types ?? defaults.positive_event_types;
  const found = await survey(
    sql,
    environment,
    request.feature_key,
    positiveTypes,
    defaults.view_event_types,
    defaults.funnel,
  );
  await requireEvents(sql, environment, found, positiveTypes);
  requireOwnOutcomes(request, defaults, found, positiveTypes);
  const plan = planOf(request, defaults, found, positiveTypes);
  requireCut(plan, found);
  if (request.cut === null && request.feature_key !== null) {
    const decisions = await read(sql, environment, { ...plan, moments: "exposures" }, found, onProgress);
    if (decisions !== undefined && isEnough(decisions)) return decisions;
  }
  const dataset = (await read(sql, environment, plan, found, onProgress)) as Dataset;
  if (plan.window_asked || plan.cut !== undefined || isEnough(dataset)) return dataset;
  const window = await usualDelay(sql, environment, plan);
  if (window === undefined || window > WEEK || window === plan.window) return dataset;
  const again = (await read(sql, environment, { ...plan, window }, found, onProgress)) as Dataset;
  return isEnough(again) ? again : dataset;
}

/** What is a success by the settings alone says nothing of a feature when it happened to others. */
function requireOwnOutcomes(
  { feature_key, positive_event_types }: TrainingRequest,
  { objective }: TrainingDefaults,
  { positives, positives_of_feature }: Survey,
  types: readonly string[],
): void {
  if (feature_key === null || positive_event_types !== null || objective || positives_of_feature > 0) return;
  throw new Invalid(
    "no_outcomes",
    `Cannot train "${feature_key}": none of the environment's ${positives} positive events (${types.join(", ")}) is of this feature. Send events with its feature_key; or name the events that count for it, whichever feature they are of, in its objective or in positive_event_types; or train without feature_key, for all features at once`,
    "/feature_key",
  );
}

function requireCut({ cut }: Plan, { first, last }: Survey): void {
  if (cut === undefined || (cut > first && cut <= last)) return;
  throw new Invalid(
    "insufficient_data",
    `Cannot train at the cut ${new Date(cut).toISOString()}: the events go from ${new Date(first).toISOString()} to ${new Date(last).toISOString()}, and there must be some before the cut and some after it`,
    "/cut",
  );
}

/** How the stream is read: which rows are moments, and which are positive. */
interface Plan {
  readonly moments: Dataset["source"]["moments"];
  readonly feature: string | null;
  /** Positive events, or moments, count only with the feature's key. */
  readonly positives_of_feature: boolean;
  readonly moments_of_feature: boolean;
  readonly positiveTypes: readonly string[];
  readonly viewTypes: readonly string[];
  /** Milliseconds. */
  readonly window: number;
  /** False when the window is the default. */
  readonly window_asked: boolean;
  readonly cut: number | undefined;
}

function planOf(
  request: TrainingRequest,
  defaults: TrainingDefaults,
  found: Survey,
  positiveTypes: readonly string[],
): Plan {
  const cut = request.cut === null ? undefined : Date.parse(request.cut);
  const asked = request.window_seconds ?? (cut === undefined ? defaults.objective?.window_seconds : undefined);
  // Until the end of the data, that end included.
  const byDefault = cut === undefined ? Math.min(WEEK, (found.last - found.first) / 3) : found.last - cut + 1;
  const byViews = found.views > 0;
  const scoped = request.feature_key !== null;
  return {
    moments: cut !== undefined ? "cut" : byViews ? "views" : "events",
    feature: request.feature_key,
    positives_of_feature: scoped && found.positives_of_feature > 0,
    moments_of_feature: scoped && (byViews ? found.views_of_feature > 0 : found.events_of_feature > 0),
    positiveTypes,
    viewTypes: defaults.view_event_types,
    window: asked == null ? Math.max(1, byDefault) : asked * 1000,
    window_asked: asked != null,
    cut,
  };
}

async function read(
  sql: Sql,
  environment: string,
  plan: Plan,
  found: Survey,
  onProgress: OnProgress,
): Promise<Dataset | undefined> {
  if (plan.moments === "exposures" && found.exposures < MIN_EXAMPLES) return undefined;
  const builder = datasetBuilder();
  const end = found.last + 1;
  const moments = createMoments({ window: plan.window, end, cut: plan.cut }, (example) => builder.add(example));
  const total = found.events + (plan.moments === "exposures" ? found.exposures : 0);
  let seen = 0;
  for await (const rows of happenings(sql, environment, plan).cursor(BATCH)) {
    for (const row of rows) moments.add(toHappening(row));
    seen += rows.length;
    onProgress(Math.min(1, seen / total), `reading events: ${seen} of ${total}`);
  }
  moments.finish();
  const { immature, capped, users } = moments.counts;
  return builder.build({
    total_events: found.events,
    unique_users: users,
    positive_events: plan.positives_of_feature ? found.positives_of_feature : found.positives,
    funnel: { intermediate: found.intermediate, terminal: found.terminal },
    moments: plan.moments,
    window_seconds: plan.window / 1000,
    positive_event_types: plan.positiveTypes,
    immature,
    capped,
    data_window: { from: new Date(found.first).toISOString(), to: new Date(found.last).toISOString() },
  });
}

/**
 * Milliseconds within which nine of ten users who had a positive event after their first moment had the first one: a window
 * for data whose default window is too short, or too long for any to have passed. undefined: there are no such users.
 */
async function usualDelay(sql: Sql, environment: string, plan: Plan): Promise<number | undefined> {
  const [row] = await sql<[{ delay: number | null }]>`
    with history as (
      select user_id, "timestamp", ${isPositive(sql, plan)} as positive,
        min("timestamp") filter (where ${isMoment(sql, plan)}) over (partition by user_id) as first_moment
      from events
      where environment = ${environment} and "timestamp" <= now()
    ), delays as (
      select extract(epoch from min("timestamp") - first_moment) * 1000 as delay
      from history where positive and "timestamp" > first_moment
      group by user_id, first_moment
    )
    select (percentile_disc(0.9) within group (order by delay))::float8 as delay from delays`;
  // The window is open at its end.
  return row.delay === null ? undefined : Math.ceil(row.delay) + 1;
}

/** A row of the stream; short names, as there may be millions. */
interface Row {
  readonly u: string;
  readonly t: number;
  readonly e: string;
  readonly p: Readonly<Record<string, unknown>> | null;
  readonly positive: boolean;
  readonly moment: boolean;
  readonly served: FeatureRow | null;
}

/** All events of the environment and, for `exposures`, the stored decisions of the feature: by user, then by time. */
function happenings(sql: Sql, environment: string, plan: Plan) {
  const stored =
    plan.moments !== "exposures"
      ? sql``
      : sql`
        union all
        select user_id, at, 0, '', null, false, true, features
        from exposures
        where environment = ${environment} and feature_key = ${plan.feature} and at <= now()
          and features is not null and (features ->> 'schema')::int = ${FEATURE_SCHEMA}`;
  return sql<Row[]>`
    select user_id as u, floor(extract(epoch from "timestamp") * 1000)::float8 as t, event_type as e,
      properties as p, positive, moment, served
    from (
      select user_id, "timestamp", id, event_type, properties,
        ${isPositive(sql, plan)} as positive, ${isMoment(sql, plan)} as moment, null::jsonb as served
      from events
      where environment = ${environment} and "timestamp" <= now()
      ${stored}
    ) as happenings
    order by user_id, "timestamp", id`;
}

/** Whether an event reaches the objective. */
function isPositive(sql: Sql, { positiveTypes, positives_of_feature, feature }: Plan) {
  const ofFeature = positives_of_feature ? sql`and feature_key = ${feature}` : sql``;
  return sql`(event_type = any(${texts(positiveTypes)}::text::text[]) ${ofFeature})`;
}

/** Whether an event is a moment of decision. */
function isMoment(sql: Sql, { moments, viewTypes, moments_of_feature, feature }: Plan) {
  if (moments === "cut" || moments === "exposures") return sql`false`;
  const ofType = moments === "views" ? sql`event_type = any(${texts(viewTypes)}::text::text[])` : sql`true`;
  const ofFeature = moments_of_feature ? sql`and feature_key = ${feature}` : sql``;
  return sql`(${ofType} ${ofFeature})`;
}

function toHappening({ u, t, e, p, positive, moment, served }: Row): Happening {
  return {
    user_id: u,
    at: t,
    event_type: e,
    properties: p ?? {},
    positive,
    moment,
    served: served ?? undefined,
  };
}
