import type { Sql, Transaction } from "./sql.ts";
import { transaction } from "./transaction.ts";

/** Tables partitioned by month of their own time column (UTC). Rows of other months wait in `<table>_default`. */
const TIME_COLUMN = { events: "timestamp", exposures: "at" } as const;
export type PartitionedTable = keyof typeof TIME_COLUMN;

/** Months before this one stay in the default partition, so that odd timestamps cannot make hundreds of tables. */
const OLDEST_MONTH = monthOf(Date.UTC(2010, 0));

/** A month as a number: years since 0 times twelve plus the month, UTC. */
type Month = number;

export interface PartitionKeeper {
  /** Makes the partitions of these times (milliseconds since the epoch) that are missing. Cheap when all are known. */
  cover(times: Iterable<number>): Promise<void>;
}

/**
 * Makes the partitions of the present month and of `monthsAhead` months after it, for every partitioned table.
 * Run at startup and every day: any number of processes may do so at once.
 *
 * @param now milliseconds since the epoch
 */
export async function ensurePartitions(sql: Sql, now: number, monthsAhead = 3): Promise<void> {
  const first = monthOf(now);
  const months = Array.from({ length: monthsAhead + 1 }, (_, ahead) => first + ahead);
  for (const table of Object.keys(TIME_COLUMN) as PartitionedTable[])
    for (const month of months) await ensureMonth(sql, table, month);
}

/** Remembers which months of a table have their partition; makes the others when rows for them arrive. */
export function partitionKeeper(sql: Sql, table: PartitionedTable): PartitionKeeper {
  const known = new Map<Month, Promise<void>>();

  function ensure(month: Month): Promise<void> {
    const making = ensureMonth(sql, table, month);
    known.set(month, making);
    making.catch(() => known.delete(month));
    return making;
  }

  return {
    async cover(times) {
      const months = new Set<Month>();
      for (const time of times) months.add(monthOf(time));
      const waiting = [...months].filter((month) => month >= OLDEST_MONTH).map((m) => known.get(m) ?? ensure(m));
      await Promise.all(waiting);
    },
  };
}

/** In a transaction of its own, before the rows: a partition made beside waiting inserts would deadlock with them. */
async function ensureMonth(sql: Sql, table: PartitionedTable, month: Month): Promise<void> {
  const partition = `${table}_${isoMonth(month).replace("-", "_")}`;
  const fallback = `${table}_default`;
  const column = TIME_COLUMN[table];
  const [from, to] = [`${isoMonth(month)}-01 00:00:00+00`, `${isoMonth(month + 1)}-01 00:00:00+00`];
  if (await isPartition(sql, table, partition)) return;
  await transaction(sql, async (t) => {
    await t`select pg_advisory_xact_lock(hashtext(${`partitions of ${table}`}))`;
    if (await isPartition(t, table, partition)) return;
    await t`create table ${t(partition)} (like ${t(table)} including all)`;
    // Rows that came before their partition move into it. The lock keeps others from adding more meanwhile.
    await t`lock table ${t(fallback)} in access exclusive mode`;
    await t`
      with moved as (delete from ${t(fallback)} where ${t(column)} >= ${from} and ${t(column)} < ${to} returning *)
      insert into ${t(partition)} select * from moved`;
    await t`alter table ${t(table)} attach partition ${t(partition)} for values from (${t.unsafe(`'${from}'`)}) to (${t.unsafe(`'${to}'`)})`;
  });
}

/** Read from the catalog's tables: `to_regclass` may answer from a cache of before another process made it. */
async function isPartition(sql: Sql | Transaction, table: PartitionedTable, partition: string): Promise<boolean> {
  const found = await sql`
    select 1 from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = ${table}::text::regclass and relname = ${partition}`;
  return found.length > 0;
}

function monthOf(time: number): Month {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function isoMonth(month: Month): string {
  return `${String(Math.floor(month / 12)).padStart(4, "0")}-${String((month % 12) + 1).padStart(2, "0")}`;
}
