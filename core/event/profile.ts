/**
 * A user's event aggregates: one entry per event type, over all features. Every entry is a commutative sum, so events may
 * arrive in any order and the database can merge them without reading first. The training set rebuilds the same numbers
 * from the events before each moment (see core/model/moments.ts), so what is trained on equals what is served.
 */
export interface Profile {
  readonly [event_type: string]: Aggregate;
}

export interface Aggregate {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly first_at: number;
  readonly last_at: number;
  /** Sum of the event's `value` property (else `amount`, `price`, `revenue`), 0 when it has none. */
  readonly value_sum: number;
}

/** The part of an event that a profile keeps. `at`: milliseconds since the epoch. */
export interface ProfileEvent {
  readonly event_type: string;
  readonly at: number;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

/** The profile after one more event, in whatever order events come. The given profile stays as it is. */
export function addEvent(profile: Profile, event: ProfileEvent): Profile {
  const before = Object.hasOwn(profile, event.event_type) ? profile[event.event_type] : undefined;
  const one = aggregateOf(event);
  return { ...profile, [event.event_type]: before === undefined ? one : mergeAggregates(before, one) };
}

/** The aggregate of two disjoint sets of events of one type. Commutative and associative. */
export function mergeAggregates(a: Aggregate, b: Aggregate): Aggregate {
  return {
    count: a.count + b.count,
    first_at: Math.min(a.first_at, b.first_at),
    last_at: Math.max(a.last_at, b.last_at),
    value_sum: a.value_sum + b.value_sum,
  };
}

/** The aggregate of a single event. */
export function aggregateOf(event: ProfileEvent): Aggregate {
  return { count: 1, first_at: event.at, last_at: event.at, value_sum: eventValue(event.properties) };
}

const VALUE_PROPERTIES = ["value", "amount", "price", "revenue"] as const;

/** What an event is worth: the first finite number among `value`, `amount`, `price`, `revenue`; else 0. */
export function eventValue(properties: Readonly<Record<string, unknown>> | undefined): number {
  if (properties === undefined) return 0;
  for (const name of VALUE_PROPERTIES) {
    const value = properties[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return 0;
}
