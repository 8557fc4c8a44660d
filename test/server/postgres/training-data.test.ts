import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../../core/event/event.ts";
import { Objective } from "../../../core/feature/objective.ts";
import { type Dataset, valueAt } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { Invalid, type TrainingRequest } from "../../../core/ports.ts";
import { readDataset } from "../../../server/postgres/training-data.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5, 8);
const DEFAULTS = {
  positive_event_types: ["transaction"],
  view_event_types: ["view"],
  funnel: { intermediate: ["addtocart"], terminal: ["transaction"] },
};
const REQUEST: TrainingRequest = {
  feature_key: null,
  learner: "auto",
  target: "auto",
  seed: 1,
  window_seconds: 3600,
  positive_event_types: null,
  cut: null,
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.sql`truncate events, exposures`);
afterAll(() => database.close());

type Stored = Partial<Pick<Event, "feature_key" | "properties">> & { user_id: string; event_type: string; at: number };

async function store(events: readonly Stored[]): Promise<void> {
  const rows = events.map(({ user_id, event_type, at, feature_key = "shop", properties = {} }) => ({
    user_id,
    event_type,
    feature_key,
    at: new Date(at).toISOString(),
    properties,
  }));
  await database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
    select 'production', at, user_id, feature_key, event_type, properties
    from jsonb_to_recordset(${database.sql.json(rows)})
      as t(user_id text, event_type text, feature_key text, at timestamptz, properties jsonb)`;
}

function read(request: Partial<TrainingRequest> = {}, defaults: Parameters<typeof readDataset>[3] = DEFAULTS) {
  return readDataset(database.sql, "production", { ...REQUEST, ...request }, defaults);
}

/** Each example as an object with the named columns. */
function examples(dataset: Dataset, ...columns: string[]) {
  return Array.from({ length: dataset.rows }, (_, row) => ({
    at: dataset.at[row],
    label: dataset.labels[row],
    ...Object.fromEntries(
      dataset.columns.filter(({ name }) => columns.includes(name)).map((column) => [column.name, valueAt(column, row)]),
    ),
  }));
}

/** `n` users who each look at the shop, one a minute; every third buys half an hour later. */
function visits(n: number, feature_key = "shop"): Stored[] {
  return Array.from({ length: n }, (_, i): Stored[] => {
    const at = START + i * MINUTE;
    const user_id = `u${i}`;
    const view = {
      user_id,
      event_type: "view",
      at,
      feature_key,
      properties: { basket: i, plan: i % 2 ? "pro" : "free" },
    };
    const buy = { user_id, event_type: "transaction", at: at + 30 * MINUTE, feature_key, properties: { amount: 10 } };
    return i % 3 === 0 ? [view, buy] : [view];
  }).flat();
}

async function refusal(work: Promise<unknown>): Promise<Invalid> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Invalid);
  return error as Invalid;
}

describe("readDataset()", () => {
  test("makes an example of every view whose window has passed, labelled by what came after", async () => {
    await store(visits(120));
    const dataset = await read();
    // The last event is at minute 147 (user 117 buys): views after minute 87 are too recent for an hour's window.
    expect(dataset.rows).toBe(88);
    expect(dataset.source).toMatchObject({
      total_events: 160,
      unique_users: 120,
      positive_events: 40,
      funnel: { intermediate: 0, terminal: 40 },
      moments: "views",
      immature: 32,
    });
    const byTime = examples(dataset, "attribute.basket", "attribute.plan").sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
    expect(byTime[0]).toEqual({ at: START, label: 1, "attribute.basket": 0, "attribute.plan": "free" });
    expect(byTime[1]).toEqual({ at: START + MINUTE, label: 0, "attribute.basket": 1, "attribute.plan": "pro" });
  });

  test("knows nothing of the moment's own event and of later ones", async () => {
    const user_id = "ann";
    await store([
      { user_id, event_type: "transaction", at: START, properties: { amount: 5 } },
      { user_id, event_type: "view", at: START + DAY },
      { user_id, event_type: "transaction", at: START + DAY, properties: { amount: 7 } },
      { user_id, event_type: "transaction", at: START + DAY + MINUTE, properties: { amount: 9 } },
      { user_id: "bob", event_type: "view", at: START + 9 * DAY },
    ]);
    const names = [
      "events.count",
      "events.transaction.value_sum",
      "events.transaction.recency_days",
      "events.view.count",
    ];
    const [example] = examples(await read(), ...names);
    expect(example).toEqual({
      at: START + DAY,
      label: 1,
      "events.count": 1,
      "events.transaction.value_sum": 5,
      "events.transaction.recency_days": 1,
    });
  });

  test("takes any event as a moment where there are no views", async () => {
    await store(
      visits(60).map((one) => ({ ...one, event_type: one.event_type === "view" ? "opened" : one.event_type })),
    );
    const dataset = await read();
    expect(dataset.source.moments).toBe("events");
    expect(dataset.rows).toBeGreaterThan(25);
  });

  test("makes one example a user with a cut, until the end of the data", async () => {
    await store([
      { user_id: "ann", event_type: "transaction", at: START },
      { user_id: "ann", event_type: "transaction", at: START + 3 * DAY },
      { user_id: "bob", event_type: "transaction", at: START + DAY },
      { user_id: "new", event_type: "transaction", at: START + 3 * DAY },
    ]);
    const cut = START + 2 * DAY;
    const dataset = await read({ cut: new Date(cut).toISOString(), window_seconds: null });
    expect(dataset.source.moments).toBe("cut");
    expect(examples(dataset, "events.transaction.recency_days")).toEqual([
      { at: cut, label: 1, "events.transaction.recency_days": 2 },
      { at: cut, label: 0, "events.transaction.recency_days": 1 },
    ]);
  });

  test("refuses a cut outside the data", async () => {
    await store(visits(10));
    const error = await refusal(read({ cut: "2031-01-01T00:00:00Z" }));
    expect(error).toMatchObject({ code: "insufficient_data", field: "/cut" });
  });

  test("counts only the feature's outcomes and views for a feature, but profiles over everything", async () => {
    await store([
      { user_id: "ann", event_type: "view", at: START - DAY, feature_key: "other" },
      ...visits(90),
      ...visits(90, "other").map((one) => ({ ...one, at: one.at + 2 * DAY })),
    ]);
    const dataset = await read({ feature_key: "shop" });
    expect(dataset.rows).toBe(90);
    expect(dataset.source.positive_events).toBe(30);
    expect((await read()).rows).toBeGreaterThan(90);
  });

  test("learns from stored decisions, with the row as served, once enough of them have an outcome", async () => {
    await store(visits(90));
    const rows = Array.from({ length: 60 }, (_, i) => {
      const at = START + i * MINUTE + 1000;
      return { user_id: `u${i}`, at: new Date(at).toISOString(), features: featureRow({ served: i }, {}, at) };
    });
    await database.sql`
      insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
        decision_source, reason, features)
      select user_id, 'production', at, 'shop', 1, user_id, user_id, 'on', true, 'rollout', 'SPLIT', features
      from jsonb_to_recordset(${database.sql.json(rows)}) as t(user_id text, at timestamptz, features jsonb)`;
    const dataset = await read({ feature_key: "shop" });
    expect(dataset.source.moments).toBe("exposures");
    expect(examples(dataset, "attribute.served").find(({ at }) => at === START + 3 * MINUTE + 1000)).toEqual({
      at: START + 3 * MINUTE + 1000,
      label: 1,
      "attribute.served": 3,
    });
    const other = await read({ feature_key: "elsewhere", positive_event_types: ["transaction"] });
    expect(other.source.moments).toBe("views");
  });

  test("chooses a window that fits data of a few minutes", async () => {
    // Everybody looks within ten seconds, buyers buy 100 seconds later: a third of the time observed would see none.
    const second = (i: number) => START + 100 * i;
    await store(
      visits(90).map((one) => {
        const i = Number(one.user_id.slice(1));
        return { ...one, at: one.event_type === "view" ? second(i) : second(i) + 100_000 };
      }),
    );
    const dataset = await read({ window_seconds: null });
    expect(dataset.source.window_seconds).toBeCloseTo(100.001, 6);
    expect(dataset.labels.reduce((sum, label) => sum + label, 0)).toBe(30);
  });

  test("says that there are no events", async () => {
    const error = await refusal(read());
    expect(error.code).toBe("no_events");
    expect(error.message).toContain("At least 50 moments");
  });

  test("learns of a feature from outcomes of others only when somebody names them", async () => {
    await store(visits(120));
    const error = await refusal(read({ feature_key: "elsewhere" }));
    expect(error.code).toBe("no_outcomes");
    expect(error.message).toContain("none of the environment's 40 positive events (transaction) is of this feature");
    const objective = Objective.parse({ event_types: ["transaction"], window_seconds: 3600 });
    expect((await read({ feature_key: "elsewhere" }, { ...DEFAULTS, objective })).rows).toBe(88);
    expect((await read({ feature_key: "elsewhere", positive_event_types: ["transaction"] })).rows).toBe(88);
  });

  test("says which event types there are when none is positive", async () => {
    await store(visits(12));
    const error = await refusal(read({ positive_event_types: ["signed_up"] }));
    expect(error.code).toBe("one_class");
    expect(error.message).toContain("view (12), transaction (4)");
  });

  test("prefers the request's event types to the objective's, and those to the settings'", async () => {
    await store([...visits(30), { user_id: "u0", event_type: "shared", at: START + MINUTE }]);
    const objective = Objective.parse({ event_types: ["shared"], window_seconds: 60 * 10 });
    const withObjective = await read({ window_seconds: null }, { ...DEFAULTS, objective });
    expect(withObjective.source).toMatchObject({ positive_events: 1, window_seconds: 600 });
    const asked = await read({ positive_event_types: ["transaction"] }, { ...DEFAULTS, objective });
    expect(asked.source).toMatchObject({ positive_events: 10, window_seconds: 3600 });
  });
});
