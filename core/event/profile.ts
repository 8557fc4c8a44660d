/**
 * A user's event aggregates: one entry per event type, over all features. Every entry is a commutative sum, so events may
 * arrive in any order and the database can merge them without reading first. The training set rebuilds the same numbers
 * from the events before each moment (see core/model/dataset.ts), so what is trained on equals what is served.
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
