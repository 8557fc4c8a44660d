import type { Aggregate } from "../../core/event/profile.ts";
import type { ProfileStore } from "../../core/ports.ts";
import type { Sql } from "./sql.ts";

/** Profiles in PostgreSQL; written by event-batch.ts. */
export function profileStore(sql: Sql): ProfileStore {
  return {
    async read(environment, userId) {
      const rows = await sql<ProfileRow[]>`
        select event_type, count, first_at, last_at, value_sum
        from profiles where environment = ${environment} and user_id = ${userId}`;
      // fromEntries, unlike assignment, keeps an event type named __proto__ an ordinary entry.
      return Object.fromEntries(
        rows.map(({ event_type, count, first_at, last_at, value_sum }): [string, Aggregate] => [
          event_type,
          { count, first_at: first_at.getTime(), last_at: last_at.getTime(), value_sum },
        ]),
      );
    },
  };
}

interface ProfileRow {
  readonly event_type: string;
  readonly count: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly value_sum: number;
}
