import type { Dataset } from "../../core/model/dataset.ts";
import { MIN_EXAMPLES, MIN_OF_EACH_CLASS } from "../../core/model/require-trainable.ts";
import { Invalid } from "../../core/ports.ts";
import { texts } from "./array-literal.ts";
import type { Sql } from "./sql.ts";

/** What there is to learn from. Times in milliseconds since the epoch. */
export interface Survey {
  readonly events: number;
  readonly first: number;
  readonly last: number;
  readonly positives: number;
  readonly positives_of_feature: number;
  readonly views: number;
  readonly views_of_feature: number;
  readonly events_of_feature: number;
  readonly exposures: number;
  /** Of the settings' funnel. */
  readonly intermediate: number;
  readonly terminal: number;
}

/** Event types on the way to success, and of success itself: how far positive events got is part of what a training reports. */
export interface Funnel {
  readonly intermediate: readonly string[];
  readonly terminal: readonly string[];
}

/** Counts the environment's events, once. */
export async function survey(
  sql: Sql,
  environment: string,
  feature: string | null,
  positiveTypes: readonly string[],
  viewTypes: readonly string[],
  funnel: Funnel,
): Promise<Survey> {
  const [row] = await sql<[Survey]>`
    select
      count(*)::float8 as events,
      floor(extract(epoch from min("timestamp")) * 1000)::float8 as first,
      floor(extract(epoch from max("timestamp")) * 1000)::float8 as last,
      count(*) filter (where event_type = any(${texts(positiveTypes)}::text::text[]))::float8 as positives,
      count(*) filter (where event_type = any(${texts(positiveTypes)}::text::text[]) and feature_key = ${feature})::float8
        as positives_of_feature,
      count(*) filter (where event_type = any(${texts(viewTypes)}::text::text[]))::float8 as views,
      count(*) filter (where event_type = any(${texts(viewTypes)}::text::text[]) and feature_key = ${feature})::float8
        as views_of_feature,
      count(*) filter (where event_type = any(${texts(funnel.intermediate)}::text::text[]))::float8 as intermediate,
      count(*) filter (where event_type = any(${texts(funnel.terminal)}::text::text[]))::float8 as terminal,
      count(*) filter (where feature_key = ${feature})::float8 as events_of_feature,
      (select count(*) from exposures
        where environment = ${environment} and feature_key = ${feature} and features is not null)::float8 as exposures
    from events
    where environment = ${environment} and "timestamp" <= now()`;
  return row;
}

/** @throws Invalid `no_events` or `one_class` (no positive one), with what there is instead */
export async function requireEvents(sql: Sql, environment: string, found: Survey, positiveTypes: readonly string[]) {
  const wanted = `positive events (${positiveTypes.join(", ")})`;
  if (found.events === 0)
    throw new Invalid(
      "no_events",
      `Cannot train: the environment "${environment}" has no events. At least ${MIN_EXAMPLES} moments of decision are needed, ${MIN_OF_EACH_CLASS} of them followed by ${wanted}`,
    );
  if (found.positives > 0) return;
  throw new Invalid(
    "one_class",
    `Cannot train: none of the ${found.events} events is one of the ${wanted}; ${await commonEventTypes(sql, environment)}. Name others in positive_event_types, or in the feature's objective`,
    "/positive_event_types",
  );
}

/** Which events there are, in words: the ten most frequent types. */
export async function commonEventTypes(sql: Sql, environment: string): Promise<string> {
  const types = await sql<{ event_type: string; count: number }[]>`
    select event_type, count(*)::float8 as count from events
    where environment = ${environment} group by event_type order by count desc, event_type limit 10`;
  if (types.length === 0) return "there are no events at all";
  return `there are ${types.map(({ event_type, count }) => `${event_type} (${count})`).join(", ")}`;
}

/** Whether there are as many examples, and as many of each class, as training asks for. */
export function isEnough({ rows, labels }: Dataset): boolean {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  return rows >= MIN_EXAMPLES && positives >= MIN_OF_EACH_CLASS && rows - positives >= MIN_OF_EACH_CLASS;
}
