import type { Aggregate, Profile } from "../event/profile.ts";

/** Version of the row's columns. A model trained on another version is never asked: its step abstains with `stale_model`. */
export const FEATURE_SCHEMA = 1;

/** What a column of the row may hold. null is missing. */
export type Scalar = string | number | boolean | null;

/**
 * The raw features of one decision, before any encoding. Columns: `schema` (FEATURE_SCHEMA), `attribute.<name>` for every
 * scalar attribute, `events.<measure>` over all event types and `events.<event type>.<measure>` for each type the user has.
 */
export type FeatureRow = Readonly<Record<string, Scalar>>;

/** Longer strings are texts, not categories: they are left out. */
export const MAX_STRING = 100;

/** What is measured of a user's events: of each type, and of all together. Days are of 86,400 seconds. */
export const MEASURES = [
  "count",
  "recency_days",
  "tenure_days",
  "span_days",
  "per_day",
  "value_sum",
  "value_mean",
] as const;
export type Measure = (typeof MEASURES)[number];

const DAY = 86_400_000;
const NO_EVENTS: Aggregate = { count: 0, first_at: Number.NaN, last_at: Number.NaN, value_sum: 0 };

/**
 * The one builder of features, used by training, replay and serving alike.
 *
 * @param attributes the user as sent to evaluate, or the properties of the event that stands for such a call; `user_id`
 *   and anything that is not a scalar are left out
 * @param profile aggregates of the events before `at`; undefined when they could not be read, which is not the same as
 *   a user without events: all `events.` columns are then missing
 * @param at milliseconds since the epoch
 */
export function featureRow(
  attributes: Readonly<Record<string, unknown>>,
  profile: Profile | undefined,
  at: number,
): Record<string, Scalar> {
  const row: Record<string, Scalar> = { schema: FEATURE_SCHEMA };
  for (const name of Object.keys(attributes)) {
    if (name === "user_id") continue;
    const value = attributeValue(attributes[name]);
    if (value !== null) row[`attribute.${name}`] = value;
  }
  if (profile === undefined) return row;
  const total = totalOf(profile);
  for (const measure of MEASURES) row[`events.${measure}`] = measureOf(total, measure, at);
  for (const type of Object.keys(profile))
    for (const measure of MEASURES) row[`events.${type}.${measure}`] = measureOf(profile[type], measure, at);
  return row;
}

/** A scalar as the row keeps it; null when it cannot be a feature. */
export function attributeValue(value: unknown): Scalar {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : null;
    case "string":
      return value.length <= MAX_STRING ? value : null;
    case "boolean":
      return value;
    default:
      return null;
  }
}

/** All event types of a profile taken together. */
export function totalOf(profile: Profile): Aggregate {
  let { count, first_at, last_at, value_sum } = NO_EVENTS;
  for (const type of Object.keys(profile)) {
    const aggregate = profile[type];
    if (aggregate === undefined || aggregate.count === 0) continue;
    first_at = count === 0 ? aggregate.first_at : Math.min(first_at, aggregate.first_at);
    last_at = count === 0 ? aggregate.last_at : Math.max(last_at, aggregate.last_at);
    count += aggregate.count;
    value_sum += aggregate.value_sum;
  }
  return { count, first_at, last_at, value_sum };
}

/**
 * One measure at a moment. Of no events, the count, the rate and the sum are 0 and the rest is missing. `tenure_days` is
 * the time since the first event, `span_days` from the first to the last, `per_day` the count over the tenure (at least one
 * day).
 */
export function measureOf(aggregate: Aggregate | undefined, measure: Measure, at: number): number | null {
  const { count, first_at, last_at, value_sum } = aggregate ?? NO_EVENTS;
  if (count === 0) return isZeroWithoutEvents(measure) ? 0 : null;
  switch (measure) {
    case "count":
      return count;
    case "recency_days":
      return Math.max(0, at - last_at) / DAY;
    case "tenure_days":
      return Math.max(0, at - first_at) / DAY;
    case "span_days":
      return (last_at - first_at) / DAY;
    case "per_day":
      return count / Math.max(1, (at - first_at) / DAY);
    case "value_sum":
      return value_sum;
    case "value_mean":
      return value_sum / count;
  }
}

/** True for the measures that are 0, not missing, when the user has no such events. */
export function isZeroWithoutEvents(measure: Measure): boolean {
  return measure === "count" || measure === "per_day" || measure === "value_sum";
}

/** The user whom a stored row was made of, as far as the row kept them. */
export function userOfRow(row: FeatureRow, userId: string): Record<string, Scalar> & { readonly user_id: string } {
  const user: Record<string, Scalar> = {};
  for (const column of Object.keys(row))
    if (column.startsWith("attribute.")) user[column.slice("attribute.".length)] = row[column] as Scalar;
  return { ...user, user_id: userId };
}

/** The profile of which a row of this moment was made, to the rounding of its times; undefined when it had none. */
export function profileOfRow(row: FeatureRow, at: number): Profile | undefined {
  if (row["events.count"] === undefined) return undefined;
  const profile: Record<string, Aggregate> = {};
  for (const column of Object.keys(row)) {
    const source = sourceOf(column);
    if (source?.from !== "profile" || source.event_type === null || source.measure !== "count") continue;
    const measure = (name: Measure) => Number(row[`events.${source.event_type}.${name}`]);
    profile[source.event_type] = {
      count: measure("count"),
      first_at: at - measure("tenure_days") * DAY,
      last_at: at - measure("recency_days") * DAY,
      value_sum: measure("value_sum"),
    };
  }
  return profile;
}

/** Where a column comes from: undefined when it is not one of the row's features. */
export type FeatureSource =
  | { readonly from: "attribute"; readonly attribute: string }
  | { readonly from: "profile"; readonly event_type: string | null; readonly measure: Measure };

/** Reads a column's name back. An event type may itself hold dots: the measure is what follows the last one. */
export function sourceOf(column: string): FeatureSource | undefined {
  if (column.startsWith("attribute.")) return { from: "attribute", attribute: column.slice("attribute.".length) };
  if (!column.startsWith("events.")) return undefined;
  const dot = column.lastIndexOf(".");
  const measure = MEASURES.find((name) => name === column.slice(dot + 1));
  if (measure === undefined) return undefined;
  const start = "events.".length;
  return { from: "profile", event_type: dot < start ? null : column.slice(start, dot), measure };
}
