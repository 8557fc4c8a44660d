import type { Event, PropertyValue } from "../../core/event/event.ts";
import { type EventStore, Invalid } from "../../core/ports.ts";
import { eventCursor, parseEventCursor } from "./event-cursor.ts";
import { type GroupCommitOptions, groupCommit } from "./group-commit.ts";
import type { Sql } from "./sql.ts";

export interface EventStoreOptions extends GroupCommitOptions {
  /** Told, after each commit and before the callers are answered, whose profiles changed. */
  readonly onStored?: (environment: string, userIds: Iterable<string>) => void;
}

/** Events in PostgreSQL. Concurrent appends share transactions; see group-commit.ts. */
export function eventStore(sql: Sql, { onStored, ...options }: EventStoreOptions = {}): EventStore {
  const append = groupCommit(sql, options);

  return {
    async append(environment, events) {
      if (events.length === 0) return [];
      const stored = await append(environment, events);
      onStored?.(environment, new Set(events.map(({ user_id }) => user_id)));
      return stored;
    },

    async list(environment, filter, { limit, cursor }) {
      const after = cursor === undefined ? undefined : parseEventCursor(cursor);
      if (after === null)
        throw new Invalid("invalid_cursor", "The cursor is not one this server gave out: start without one", "cursor");
      const rows = await sql<ListedEvent[]>`
        select id, event_id, user_id, feature_key, event_type, "timestamp", properties, source, ab_variant
        from events
        where environment = ${environment}
          ${filter.user_id === undefined ? sql`` : sql`and user_id = ${filter.user_id}`}
          ${filter.feature_key === undefined ? sql`` : sql`and feature_key = ${filter.feature_key}`}
          ${filter.event_type === undefined ? sql`` : sql`and event_type = ${filter.event_type}`}
          ${after === undefined ? sql`` : sql`and ("timestamp", id) < (${new Date(after.at)}, ${after.id})`}
        order by "timestamp" desc, id desc
        limit ${limit + 1}`;
      const events = rows.slice(0, limit).map((row): Event => ({ ...row, timestamp: row.timestamp.toISOString() }));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        events,
        next_cursor: last === undefined ? null : eventCursor({ at: last.timestamp.getTime(), id: last.id }),
      };
    },
  };
}

interface ListedEvent {
  readonly id: number;
  readonly event_id: string | null;
  readonly user_id: string;
  readonly feature_key: string;
  readonly event_type: string;
  readonly timestamp: Date;
  readonly properties: Record<string, PropertyValue>;
  readonly source: string | null;
  readonly ab_variant: string | null;
}
