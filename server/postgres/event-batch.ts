import { type Aggregate, aggregateOf, mergeAggregates } from "../../core/event/profile.ts";
import type { NewEvent } from "../../core/ports.ts";
import { plain, texts, times } from "./array-literal.ts";
import type { Sql, Transaction } from "./sql.ts";
import { transaction } from "./transaction.ts";

/** An event on its way into the table. */
export interface EventRow {
  readonly environment: string;
  readonly event: NewEvent;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The same in UTC, to the millisecond: what is stored. */
  readonly timestamp: string;
  /** The properties as JSON text, made once: its length also bounds the queue. */
  readonly properties: string;
}

export interface StoredEvent {
  readonly id: number;
  readonly duplicate: boolean;
}

/**
 * Stores the rows and what they add to profiles in one transaction. Resolves after the commit, in the order given.
 * A row whose event id is already stored at the same timestamp, or comes twice, is answered with the first one's id.
 *
 * @param ids one fresh id a row; those of duplicates stay unused
 */
export async function storeBatch(
  sql: Sql,
  rows: readonly EventRow[],
  ids: readonly number[],
): Promise<readonly StoredEvent[]> {
  return transaction(sql, async (t) => {
    const order = insertionOrder(rows);
    const inserted = await insertEvents(t, order, rows, ids);
    const stored = inserted === rows.length ? undefined : await storedIds(t, rows);
    const result = rows.map((_, index) => {
      const id = stored?.get(index) ?? (ids[index] as number);
      return { id, duplicate: id !== ids[index] };
    });
    await mergeProfiles(
      t,
      rows.filter((_, index) => !result[index]?.duplicate),
    );
    return result;
  });
}

/**
 * By event id: two transactions that hold the same ids then wait for each other in one direction only. Rows of one id
 * keep their order, so the first of them is the one stored.
 */
function insertionOrder(rows: readonly EventRow[]): readonly number[] {
  const order = rows.map((_, index) => index);
  if (!rows.some(({ event }) => event.event_id !== undefined)) return order;
  const key = (index: number) => rows[index]?.event.event_id ?? "";
  return order.sort((a, b) => compare(key(a), key(b)) || a - b);
}

/** Returns how many were not there before. */
async function insertEvents(
  t: Transaction,
  order: readonly number[],
  rows: readonly EventRow[],
  ids: readonly number[],
): Promise<number> {
  const sorted = order.map((index) => rows[index] as EventRow);
  const column = (read: (event: NewEvent) => string | null | undefined) =>
    texts(sorted.map(({ event }) => read(event) ?? null));
  const result = await t`
    insert into events (id, environment, "timestamp", user_id, feature_key, event_type, properties, source, event_id, ab_variant)
    select * from rows from (
      unnest(
        ${plain(order.map((index) => ids[index] as number))}::text::bigint[],
        ${texts(sorted.map(({ environment }) => environment))}::text::text[],
        ${texts(sorted.map(({ timestamp }) => timestamp))}::text::timestamptz[],
        ${column((event) => event.user_id)}::text::text[],
        ${column((event) => event.feature_key)}::text::text[],
        ${column((event) => event.event_type)}::text::text[]),
      jsonb_array_elements(${`[${sorted.map(({ properties }) => properties).join(",")}]`}::text::jsonb),
      unnest(
        ${column((event) => event.source)}::text::text[],
        ${column((event) => event.event_id)}::text::text[],
        ${column((event) => event.ab_variant)}::text::text[])) as input
    on conflict do nothing`;
  return result.count;
}

/** For each row with an event id, by its index: the id under which the event is stored now. */
async function storedIds(t: Transaction, rows: readonly EventRow[]): Promise<ReadonlyMap<number, number>> {
  const known = rows.flatMap(({ event }, index) => (event.event_id === undefined ? [] : [index]));
  const row = (index: number) => rows[index] as EventRow;
  const found = await t<{ index: number; id: number }[]>`
    select input.index, events.id
    from unnest(
      ${plain(known)}::text::int[],
      ${texts(known.map((index) => row(index).environment))}::text::text[],
      ${texts(known.map((index) => row(index).event.event_id ?? null))}::text::text[],
      ${texts(known.map((index) => row(index).timestamp))}::text::timestamptz[]) as input (index, environment, event_id, "timestamp")
    join events using (environment, event_id, "timestamp")`;
  const stored = new Map(found.map(({ index, id }) => [index, id]));
  if (stored.size !== known.length)
    throw new Error(`${known.length - stored.size} events vanished while they were stored; send them again`);
  return stored;
}

interface ProfileChange {
  readonly environment: string;
  readonly user_id: string;
  readonly event_type: string;
  aggregate: Aggregate;
}

/** Rows sorted by key, so that concurrent transactions lock profiles in one order. */
async function mergeProfiles(t: Transaction, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  const changes = [...profileChanges(rows)].sort(([a], [b]) => compare(a, b)).map(([, change]) => change);
  const aggregates = changes.map(({ aggregate }) => aggregate);
  await t`
    insert into profiles (environment, user_id, event_type, count, first_at, last_at, value_sum)
    select * from unnest(
      ${texts(changes.map(({ environment }) => environment))}::text::text[],
      ${texts(changes.map(({ user_id }) => user_id))}::text::text[],
      ${texts(changes.map(({ event_type }) => event_type))}::text::text[],
      ${plain(aggregates.map(({ count }) => count))}::text::bigint[],
      ${times(aggregates.map(({ first_at }) => first_at))}::text::timestamptz[],
      ${times(aggregates.map(({ last_at }) => last_at))}::text::timestamptz[],
      ${plain(aggregates.map(({ value_sum }) => value_sum))}::text::float8[])
    on conflict (environment, user_id, event_type) do update set
      count = profiles.count + excluded.count,
      first_at = least(profiles.first_at, excluded.first_at),
      last_at = greatest(profiles.last_at, excluded.last_at),
      value_sum = profiles.value_sum + excluded.value_sum`;
}

function profileChanges(rows: readonly EventRow[]): ReadonlyMap<string, ProfileChange> {
  const changes = new Map<string, ProfileChange>();
  for (const { environment, event, at } of rows) {
    const { user_id, event_type, properties } = event;
    const key = `${environment}\0${user_id}\0${event_type}`;
    const aggregate = aggregateOf({ event_type, at, properties });
    const change = changes.get(key);
    if (change === undefined) changes.set(key, { environment, user_id, event_type, aggregate });
    else change.aggregate = mergeAggregates(change.aggregate, aggregate);
  }
  return changes;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
