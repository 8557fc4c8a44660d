import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventStore } from "../../../server/postgres/events.ts";
import { ensurePartitions, partitionKeeper } from "../../../server/postgres/partitions.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.close());

async function partitions(table: string): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`
    select relname as name from pg_class
    where oid in (select inhrelid from pg_inherits where inhparent = ${table}::text::regclass) order by 1`;
  return rows.map(({ name }) => name);
}

describe("ensurePartitions()", () => {
  test("makes this month and the months ahead, for both tables, whoever else does so at once", async () => {
    const now = Date.UTC(2026, 10, 30, 23, 59);
    await Promise.all(Array.from({ length: 4 }, () => ensurePartitions(database.sql, now, 2)));
    expect(await partitions("events")).toEqual([
      "events_2026_11",
      "events_2026_12",
      "events_2027_01",
      "events_default",
    ]);
    expect(await partitions("exposures")).toContain("exposures_2027_01");
    await ensurePartitions(database.sql, now, 2);
  });

  test("gives a partition every index of the table, the unique one of event ids too", async () => {
    await ensurePartitions(database.sql, Date.UTC(2026, 10, 1), 0);
    const [row] = await database.sql`
      select
        (select count(*) from pg_index where indrelid = 'events'::regclass) as of_table,
        (select count(*) from pg_index join pg_inherits on inhrelid = indexrelid where indrelid = 'events_2026_11'::regclass) as attached`;
    expect(row?.attached).toBe(row?.of_table);
  });

  test("moves rows that came before their partition", async () => {
    const timestamp = [
      "2026-10-31T23:59:59.999Z",
      "2026-11-01T00:00:00.000Z",
      "2026-11-30T23:59:59.999Z",
      "2026-12-01T00:00:00.000Z",
    ];
    for (const [id, time] of timestamp.entries())
      await database.sql`
        insert into events (id, environment, "timestamp", user_id, feature_key, event_type)
        values (${id + 1}, 'production', ${time}, 'u', 'f', 'view')`;
    await ensurePartitions(database.sql, Date.UTC(2026, 10, 10), 0);
    const rows = await database.sql`select tableoid::regclass::text as part from events order by "timestamp"`;
    expect(rows.map(({ part }) => part)).toEqual([
      "events_default",
      "events_2026_11",
      "events_2026_11",
      "events_default",
    ]);
  });
});

describe("partitionKeeper()", () => {
  test("makes the months rows ask for, once, and leaves very old ones to the default partition", async () => {
    const keeper = partitionKeeper(database.sql, "events");
    const times = [Date.UTC(2010, 0, 1), Date.UTC(2010, 0, 31), Date.UTC(2009, 11, 31), Date.UTC(1970, 0, 1)];
    await Promise.all([keeper.cover(times), keeper.cover(times)]);
    expect(await partitions("events")).toEqual(["events_2010_01", "events_default"]);
  });

  test("appends of many processes into new months neither fail nor lose anything", async () => {
    const stores = Array.from({ length: 4 }, () => eventStore(database.sql));
    await Promise.all(
      stores.flatMap((store, s) =>
        Array.from({ length: 24 }, (_, month) =>
          store.append("production", [
            {
              user_id: `u${s}`,
              feature_key: "f",
              event_type: "view",
              timestamp: new Date(Date.UTC(2020, (month * 5) % 24, 15)).toISOString(),
              properties: {},
            },
          ]),
        ),
      ),
    );
    expect((await partitions("events")).length).toBe(25);
    const [row] = await database.sql`select count(*) as events, count(distinct tableoid) as parts from events`;
    expect({ ...row }).toEqual({ events: 96, parts: 24 });
  });
});
