import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Invalid, type NewEvent, Overloaded } from "../../../core/ports.ts";
import { eventStore } from "../../../server/postgres/events.ts";
import { openSql } from "../../../server/postgres/sql.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const NOON = Date.parse("2026-11-22T12:00:00.000Z");

function event(over: Partial<NewEvent> = {}): NewEvent {
  return {
    user_id: "ada",
    feature_key: "checkout",
    event_type: "view",
    timestamp: new Date(NOON).toISOString(),
    properties: {},
    ...over,
  };
}

/** A user of its own, so that tests of one file do not see each other's events. */
let users = 0;
const freshUser = () => `user-${++users}`;

describe("append()", () => {
  test("tells callers whose rows somebody holds for long, and goes on storing for others", async () => {
    const store = eventStore(database.sql);
    const [held, other] = [freshUser(), freshUser()];
    await store.append("production", [event({ user_id: held })]);
    const holding = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    // As from a console: a transaction that is not ours, and that nobody bounds.
    const holds = database.sql.begin(async (t) => {
      await t`select from profiles where user_id = ${held} for update`;
      holding.resolve();
      await release.promise;
    });
    await holding.promise;
    const waiting = expect(store.append("production", [event({ user_id: held })])).rejects.toBeInstanceOf(Overloaded);
    // What arrives in the same turn shares its transaction, and its answer.
    await expect
      .poll(async () => {
        const locked = await database.sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return locked.length;
      })
      .toBe(1);
    expect(await store.append("production", [event({ user_id: other })])).toHaveLength(1);
    await waiting;
    release.resolve();
    await holds;
    expect(await store.append("production", [event({ user_id: held })])).toHaveLength(1);
  });

  test("answers with ids in the order given, and what was stored can be read back whole", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const given = event({
      user_id,
      event_id: "first",
      source: 'a "quoted\\" source',
      properties: { text: 'tab\t, comma, {brace} and "quote\\"', number: -1.5, flag: true, nothing: null },
      ab_variant: "B",
    });
    const [first, second] = await store.append("production", [given, event({ user_id, event_type: "buy" })]);
    expect(second?.id).toBeGreaterThan(first?.id ?? Number.POSITIVE_INFINITY);
    const { events } = await store.list("production", { user_id }, { limit: 10 });
    expect(events.map(({ id }) => id)).toEqual([second?.id, first?.id]);
    expect(events[1]).toEqual({ id: first?.id, ...given });
  });

  test("answers only after the commit: another connection sees the event at once", async () => {
    const store = eventStore(database.sql);
    const other = openSql(database.url, { max: 1 });
    try {
      const user_id = freshUser();
      for (let round = 0; round < 20; round++) {
        await store.append("production", [event({ user_id })]);
        const [seen] = await other`select count(*) as events from events where user_id = ${user_id}`;
        expect(seen?.events).toBe(round + 1);
      }
    } finally {
      await other.end();
    }
  });

  test("lets 500 concurrent callers share a few transactions", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const stored = await Promise.all(
      Array.from({ length: 500 }, (_, i) => store.append("production", [event({ user_id, feature_key: `f${i}` })])),
    );
    const rows = await database.sql<{ id: number; feature_key: string; transaction: string }[]>`
      select id, feature_key, xmin::text as transaction from events where user_id = ${user_id}`;
    expect(rows.length).toBe(500);
    const feature = new Map(rows.map((row) => [row.id, row.feature_key]));
    expect(stored.map(([one]) => feature.get(one?.id ?? 0))).toEqual(stored.map((_, i) => `f${i}`));
    expect(new Set(rows.map(({ transaction }) => transaction)).size).toBeLessThanOrEqual(5);
  });

  test("stores an event id once per timestamp, whoever sends it, however often at once", async () => {
    const stores = [eventStore(database.sql), eventStore(database.sql), eventStore(database.sql)];
    const user_id = freshUser();
    const batch = Array.from({ length: 50 }, (_, i) => event({ user_id, event_id: `retry-${i}` }));
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        stores[i % 3]?.append("production", i % 2 === 0 ? batch : [...batch].reverse()),
      ),
    );
    const newlyStored = answers.flat().filter((one) => one?.duplicate === false);
    expect(newlyStored.length).toBe(50);
    const inOrder = answers.map((answer, i) => (i % 2 === 0 ? answer : [...(answer ?? [])].reverse()));
    for (const answer of inOrder) expect(answer?.map(({ id }) => id)).toEqual(inOrder[0]?.map(({ id }) => id));
    const [profile] = await database.sql`select count from profiles where user_id = ${user_id}`;
    expect(profile?.count).toBe(50);
  });

  test("names a repetition inside one batch as a duplicate; another timestamp or environment is another event", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const same = event({ user_id, event_id: "twice", properties: { n: 1 } });
    const later = { ...same, timestamp: new Date(NOON + 1).toISOString() };
    const [a, b, c] = await store.append("production", [same, { ...same, properties: { n: 2 } }, later]);
    expect([a?.duplicate, b?.duplicate, c?.duplicate]).toEqual([false, true, false]);
    expect(b?.id).toBe(a?.id);
    const [elsewhere] = await store.append("staging", [same]);
    expect(elsewhere?.duplicate).toBe(false);
    const { events } = await store.list("production", { user_id }, { limit: 10 });
    expect(events.map(({ properties }) => properties.n)).toEqual([1, 1]);
  });

  test("fails only the caller whose rows PostgreSQL refuses", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const bad = event({ user_id, properties: { text: "\0" } });
    const outcomes = await Promise.allSettled(
      [event({ user_id }), bad, event({ user_id })].map((one) => store.append("production", [one])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const { events } = await store.list("production", { user_id }, { limit: 10 });
    expect(events.length).toBe(2);
    const [profile] = await database.sql`select count from profiles where user_id = ${user_id}`;
    expect(profile?.count).toBe(2);
  });

  test("throws Overloaded when the bounded queue is full, and takes events again afterwards", async () => {
    const store = eventStore(database.sql, { maxWaiting: 10 });
    const user_id = freshUser();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 11 }, () => store.append("production", [event({ user_id })])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(10).fill("fulfilled"), "rejected"]);
    expect(outcomes[10]).toMatchObject({ reason: expect.any(Overloaded) });
    await expect(store.append("production", [event({ user_id })])).resolves.toHaveLength(1);
  });

  test("tells whose profiles changed before it answers", async () => {
    const told: string[] = [];
    const store = eventStore(database.sql, { onStored: (environment, ids) => told.push(environment, ...ids) });
    await store.append("production", [event({ user_id: "x" }), event({ user_id: "y" }), event({ user_id: "x" })]);
    expect(told).toEqual(["production", "x", "y"]);
  });

  test("rejects when the database is gone, so nothing is acknowledged that was not stored", async () => {
    const lost = openSql(database.url, { max: 1 });
    const store = eventStore(lost);
    await store.append("production", [event({ user_id: freshUser() })]);
    await lost.end();
    await expect(store.append("production", [event()])).rejects.toThrow();
  });
});

describe("list()", () => {
  test("pages newest first, filters, and stays stable while events come in", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const at = (i: number) => new Date(NOON + Math.floor(i / 3) * 1000).toISOString();
    const stored = await store.append(
      "production",
      Array.from({ length: 30 }, (_, i) => event({ user_id, timestamp: at(i), event_type: i % 2 ? "odd" : "even" })),
    );
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list("production", { user_id }, { limit: 7, cursor });
      seen.push(...page.events.map(({ id }) => id));
      cursor = page.next_cursor ?? undefined;
      await store.append("production", [event({ user_id, timestamp: at(90) })]);
    } while (cursor !== undefined);
    expect(seen).toEqual(stored.map(({ id }) => id).reverse());
    const odd = await store.list("production", { user_id, event_type: "odd", feature_key: "checkout" }, { limit: 100 });
    expect(odd.events.length).toBe(15);
    expect((await store.list("production", { user_id, feature_key: "other" }, { limit: 1 })).events).toEqual([]);
    expect((await store.list("staging", { user_id }, { limit: 1 })).events).toEqual([]);
  });

  test.each(["", "AAAA", "Zm9v", "../etc", "MTIz"])("refuses %j as a cursor", async (cursor) => {
    await expect(eventStore(database.sql).list("production", {}, { limit: 1, cursor })).rejects.toBeInstanceOf(Invalid);
  });
});

describe("append() of times with zones", () => {
  test("keeps them in UTC to the millisecond, and knows them again as duplicates", async () => {
    const store = eventStore(database.sql);
    const user_id = freshUser();
    const sent = ["2026-11-22T13:00:00.1239+01:00", "2026-11-22T12:00:00.123Z", "2026-11-22T12:00:00.123000Z"];
    const answers = [];
    for (const timestamp of sent)
      answers.push(...(await store.append("production", [event({ user_id, event_id: "zone", timestamp })])));
    expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
    const { events } = await store.list("production", { user_id }, { limit: 2 });
    expect(events.map(({ timestamp }) => timestamp)).toEqual(["2026-11-22T12:00:00.123Z"]);
  });
});
