import type { Sql } from "./sql.ts";

/** How far one `nextval` of the sequence reaches; the sequence's increment (migrations/0001_base.sql). */
export const RESERVE_BLOCK = 1000;

/**
 * Hands out ids of a sequence that counts in blocks: rows know their ids before they are inserted, without asking the
 * database each time. Ids of a block that is not used up are skipped for good.
 */
export function idReserve(sql: Sql, sequence: string): (count: number) => Promise<readonly number[]> {
  let next = 0;
  let end = 0;
  return async (count) => {
    const ids: number[] = [];
    while (next < end && ids.length < count) ids.push(next++);
    const missing = count - ids.length;
    if (missing === 0) return ids;
    const blocks = await sql<{ first: number }[]>`
      select nextval(${sequence}::text::regclass)::bigint as first
      from generate_series(1, ${Math.ceil(missing / RESERVE_BLOCK)}::int)`;
    for (const { first } of blocks) {
      const wanted = Math.min(count - ids.length, RESERVE_BLOCK);
      for (let id = first; id < first + wanted; id++) ids.push(id);
      // What a concurrent call left over is dropped: ids are plenty.
      next = first + wanted;
      end = first + RESERVE_BLOCK;
    }
    return ids;
  };
}
