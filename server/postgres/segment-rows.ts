import type { Segment } from "../../core/feature/segment.ts";
import type { Sql, Transaction } from "./sql.ts";

export type SegmentRow = Omit<Segment, "created_at" | "updated_at"> & {
  readonly created_at: Date;
  readonly updated_at: Date;
};

/** By key. */
export async function selectSegments(sql: Sql | Transaction, environment: string): Promise<readonly Segment[]> {
  const rows = await sql<SegmentRow[]>`
    select ${segmentColumns(sql)} from segments where environment = ${environment} order by key`;
  return rows.map(toSegment);
}

export function segmentColumns(sql: Sql | Transaction) {
  return sql`environment, key, name, condition, version, created_at, updated_at`;
}

export function toSegment({ created_at, updated_at, ...row }: SegmentRow): Segment {
  return { ...row, created_at: created_at.toISOString(), updated_at: updated_at.toISOString() };
}
