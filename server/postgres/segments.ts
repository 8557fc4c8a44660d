import { Conflict, type SegmentStore, StaleVersion } from "../../core/ports.ts";
import { changeServed, requireEnvironment } from "./change-served.ts";
import { checkWrite } from "./check-write.ts";
import { type SegmentRow, segmentColumns, selectSegments, toSegment } from "./segment-rows.ts";
import type { Sql, Transaction } from "./sql.ts";

/** Reusable conditions. */
export function segmentStore(sql: Sql): SegmentStore {
  return {
    async list(environment) {
      const segments = await selectSegments(sql, environment);
      if (segments.length === 0) await requireEnvironment(sql, environment);
      return segments;
    },

    get: (environment, key) => find(sql, environment, key),

    create: (environment, { key, name, condition }, check) =>
      changeServed(sql, environment, async (tx, changed) => {
        const [row] = await tx<SegmentRow[]>`
          insert into segments (environment, key, name, condition, created_at, updated_at)
          values (${environment}, ${key}, ${name}, ${JSON.stringify(condition)}::text::json, clock_timestamp(), clock_timestamp())
          on conflict (environment, key) do nothing
          returning ${segmentColumns(tx)}`;
        if (row === undefined)
          throw new Conflict(`The key "${key}" is taken by another segment; choose another or PUT to it`);
        await checkWrite(tx, environment, check);
        changed();
        return toSegment(row);
      }),

    update: (environment, key, { name, condition }, { expected, check } = {}) =>
      changeServed(sql, environment, async (tx, changed) => {
        const stored = await find(tx, environment, key);
        if (stored === undefined) return undefined;
        if (expected !== undefined && stored.version !== expected) throw new StaleVersion(stored.version, expected);
        const [row] = await tx<SegmentRow[]>`
          update segments
          set name = ${name}, condition = ${JSON.stringify(condition)}::text::json,
            version = version + 1, updated_at = clock_timestamp()
          where environment = ${environment} and key = ${key}
          returning ${segmentColumns(tx)}`;
        await checkWrite(tx, environment, check);
        changed();
        return toSegment(row as SegmentRow);
      }),

    remove: (environment, key, { check } = {}) =>
      changeServed(sql, environment, async (tx, changed) => {
        const gone = await tx`delete from segments where environment = ${environment} and key = ${key}`;
        if (gone.count === 0) return false;
        await checkWrite(tx, environment, check);
        changed();
        return true;
      }),
  };
}

async function find(sql: Sql | Transaction, environment: string, key: string) {
  const [row] = await sql<SegmentRow[]>`
    select ${segmentColumns(sql)} from segments where environment = ${environment} and key = ${key}`;
  return row && toSegment(row);
}
