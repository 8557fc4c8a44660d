import type { Clock } from "../../core/ports.ts";
import { ensurePartitions } from "../../server/postgres/partitions.ts";
import type { Sql } from "../../server/postgres/sql.ts";

/** The task's name in the queue. */
export const MAINTAIN_PARTITIONS = "maintain-partitions";

/** Makes the partitions of the coming months, so that no event or exposure has to wait for its own. */
export function maintainPartitions(sql: Sql, clock: Clock): Promise<void> {
  return ensurePartitions(sql, clock.now());
}
