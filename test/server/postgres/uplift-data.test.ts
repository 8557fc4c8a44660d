import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { completeObjective } from "../../../core/feature/objective.ts";
import { type Dataset, valueAt } from "../../../core/model/dataset.ts";
import { featureRow } from "../../../core/model/feature-row.ts";
import { Invalid } from "../../../core/ports.ts";
import { readUpliftData } from "../../../server/postgres/uplift-data.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const NOW = START + 60 * DAY;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.sql`truncate events, exposures`);
afterAll(() => database.close());

interface Decided {
  readonly user_id: string;
  readonly at: number;
  readonly variant?: string;
  readonly probabilities?: Readonly<Record<string, number>> | null;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly feature_key?: string;
}
interface Happened {
  readonly user_id: string;
  readonly at: number;
  readonly event_type?: string;
  readonly received_at?: number;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly feature_key?: string;
}

const EVEN: Readonly<Record<string, number>> = { off: 0.5, on: 0.5 };

async function decide(decisions: readonly Decided[]): Promise<void> {
  const rows = decisions.map(
    ({ user_id, at, variant = "on", probabilities = EVEN, attributes = {}, feature_key = "shop" }, i) => ({
      decision_id: `${user_id}/${at}/${i}`,
      user_id,
      at: new Date(at).toISOString(),
      variant,
      feature_key,
      probabilities,
      probability: probabilities === null ? null : (probabilities[variant] ?? 0),
      features: featureRow(attributes, {}, at),
    }),
  );
  await database.sql`
    insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
      decision_source, reason, features, probability, probabilities)
    select decision_id, 'production', at, feature_key, 1, user_id, user_id, variant, true, 'rollout', 'SPLIT', features,
      probability, probabilities
    from jsonb_to_recordset(${database.sql.json(rows as never)})
      as t(decision_id text, user_id text, at timestamptz, feature_key text, variant text, features jsonb,
        probability float8, probabilities jsonb)`;
}

async function happen(events: readonly Happened[]): Promise<void> {
  const rows = events.map(
    ({ user_id, at, event_type = "buy", received_at = at, properties = {}, feature_key = "shop" }) => ({
      user_id,
      event_type,
      feature_key,
      at: new Date(at).toISOString(),
      received_at: new Date(received_at).toISOString(),
      properties,
    }),
  );
  await database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type, properties, received_at)
    select 'production', at, user_id, feature_key, event_type, properties, received_at
    from jsonb_to_recordset(${database.sql.json(rows as never)})
      as t(user_id text, event_type text, feature_key text, at timestamptz, received_at timestamptz, properties jsonb)`;
}

/** A control decision and a far event, so that there are two arms and the objective has occurred. */
const BESIDES: Decided = { user_id: "zoe", at: START, variant: "off" };

function read(
  objective: Readonly<Record<string, unknown>> = {},
  request: { event_types?: readonly string[]; window_seconds?: number | null; now?: number } = {},
) {
  const complete = completeObjective({ objective: { window_seconds: 3600, ...objective }, off_variant: "off" });
  if (complete === null) throw new Error("There is an objective");
  const { event_types = ["buy"], window_seconds = null, now = NOW } = request;
  const asked = { feature_key: "shop", variants: ["on", "off", "huge"], objective: complete, event_types };
  return readUpliftData(database.sql, "production", { ...asked, window_seconds, now });
}

function examples({ arms, arm, ...dataset }: Dataset, ...columns: string[]) {
  return Array.from({ length: dataset.rows }, (_, row) => ({
    unit: dataset.unit_names[dataset.units[row] as number],
    at: ((dataset.at[row] as number) - START) / HOUR,
    arm: arms?.[arm?.[row] as number],
    value: dataset.values[row],
    ...Object.fromEntries(
      dataset.columns.filter(({ name }) => columns.includes(name)).map((column) => [column.name, valueAt(column, row)]),
    ),
  }));
}

async function refusal(work: Promise<unknown>): Promise<Invalid> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Invalid);
  return error as Invalid;
}

describe("readUpliftData()", () => {
  test("joins decisions with the objective's events in [at, at + window), features as they were stored", async () => {
    await decide([
      BESIDES,
      { user_id: "at once", at: START, attributes: { plan: "pro" } },
      { user_id: "before", at: START + HOUR },
      { user_id: "end", at: START },
      { user_id: "within", at: START },
      { user_id: "other type", at: START },
    ]);
    await happen([
      { user_id: "at once", at: START },
      { user_id: "before", at: START + HOUR - 1 },
      { user_id: "end", at: START + HOUR },
      { user_id: "within", at: START + HOUR - 1 },
      { user_id: "other type", at: START + 1, event_type: "view" },
    ]);
    const { dataset, exposures } = await read();
    expect(dataset.arms).toEqual(["off", "on"]);
    expect(examples(dataset, "attribute.plan")).toEqual([
      { unit: "at once", at: 0, arm: "on", value: 1, "attribute.plan": "pro" },
      { unit: "before", at: 1, arm: "on", value: 0, "attribute.plan": null },
      { unit: "end", at: 0, arm: "on", value: 0, "attribute.plan": null },
      { unit: "other type", at: 0, arm: "on", value: 0, "attribute.plan": null },
      { unit: "within", at: 0, arm: "on", value: 1, "attribute.plan": null },
      { unit: "zoe", at: 0, arm: "off", value: 0, "attribute.plan": null },
    ]);
    expect([...(dataset.probability ?? [])]).toEqual(new Array(6).fill(0.5));
    expect(exposures).toMatchObject({ total: 6, used: 6, first_at: "2026-01-05T00:00:00.000Z" });
    expect(dataset.source).toMatchObject({ moments: "exposures", window_seconds: 3600, unique_users: 6 });
  });

  test("never learns from certain decisions, from those without probabilities, nor from deleted variants", async () => {
    await decide([
      BESIDES,
      { user_id: "sure", at: START, probabilities: { on: 1 } },
      { user_id: "unknown", at: START, probabilities: null },
      { user_id: "impossible", at: START, probabilities: { off: 1 } },
      { user_id: "gone", at: START, variant: "deleted", probabilities: { deleted: 0.5, off: 0.5 } },
      { user_id: "elsewhere", at: START, feature_key: "other" },
      { user_id: "drawn", at: START, probabilities: { on: 0.25, off: 0.75 } },
    ]);
    await happen(["sure", "unknown", "impossible", "gone", "drawn"].map((user_id) => ({ user_id, at: START + 1 })));
    const { dataset, exposures } = await read();
    expect(examples(dataset).map(({ unit }) => unit)).toEqual(["drawn", "zoe"]);
    expect(dataset.probability?.[0]).toBe(0.25);
    expect(exposures).toMatchObject({ total: 6, used: 2, certain: 1, without_propensity: 2, deleted_variant: 1 });
  });

  test("waits for window and grace, and counts events that came later than that", async () => {
    await decide([
      BESIDES,
      { user_id: "mature", at: NOW - 2 * HOUR },
      { user_id: "immature", at: NOW - 2 * HOUR + 1 },
      { user_id: "late", at: START },
    ]);
    await happen([
      { user_id: "mature", at: NOW - HOUR - 1, received_at: NOW },
      { user_id: "late", at: START + 1, received_at: START + 2 * HOUR + 1 },
    ]);
    const { dataset, exposures } = await read({ grace_seconds: 3600 });
    expect(examples(dataset).map(({ unit, value }) => [unit, value])).toEqual([
      ["late", 1],
      ["mature", 1],
      ["zoe", 0],
    ]);
    expect(exposures).toMatchObject({ immature: 1, used: 3, late_events: 1 });
  });

  test("takes a user's first decision of each epoch, and at most twenty, evenly spread", async () => {
    await decide([
      BESIDES,
      // Epochs of two days, as the window is longer than one: days 0 and 1, 2 and 3.
      ...[0, 1, 47, 48, 95, 96].map((hours) => ({ user_id: "ann", at: START + hours * HOUR })),
      ...Array.from({ length: 25 }, (_, i) => ({ user_id: "bob", at: START + i * 2 * DAY })),
    ]);
    await happen([{ user_id: "bob", at: START + 48 * DAY }]);
    const { dataset, exposures } = await read({ window_seconds: 30 * 3600 });
    const of = (user: string) => examples(dataset).filter(({ unit }) => unit === user);
    const epoch = 2 * DAY;
    const epochs = new Set([0, 1, 47, 48, 95, 96].map((hours) => Math.floor((START + hours * HOUR) / epoch)));
    expect(of("ann")).toHaveLength(epochs.size);
    expect(of("ann")[0]?.at).toBe(0);
    expect(of("bob")).toHaveLength(20);
    expect(of("bob").at(-1)).toMatchObject({ at: 48 * 24, value: 1 });
    expect(exposures).toMatchObject({ repeated: 6 - epochs.size, capped: 5, used: 21 + epochs.size });
  });

  test("sums a numeric outcome over the window, as a share of its cap", async () => {
    await decide([BESIDES, ...["some", "much", "less", "odd"].map((user_id) => ({ user_id, at: START }))]);
    const paid = (user_id: string, price: unknown) => ({ user_id, at: START + 5, properties: { price } });
    await happen([paid("some", 10), paid("some", 15), paid("much", 900), paid("less", -5), paid("odd", "20")]);
    const { dataset } = await read({ value: { property: "price", cap: 100 } });
    expect(examples(dataset).map(({ unit, value }) => [unit, value])).toEqual([
      ["less", 0],
      ["much", 1],
      ["odd", 0],
      ["some", 0.25],
      ["zoe", 0],
    ]);
  });

  test("counts guardrails' events, and only the feature's own where it has any", async () => {
    await decide([BESIDES, { user_id: "ann", at: START }, { user_id: "bob", at: START }]);
    await happen([
      { user_id: "ann", at: START + 1, feature_key: "other" },
      { user_id: "bob", at: START + 1 },
      { user_id: "ann", at: START + 1, event_type: "error", feature_key: "" },
      { user_id: "bob", at: START + HOUR, event_type: "refund" },
    ]);
    const guardrails = [{ event_types: ["error"] }, { event_types: ["refund"] }];
    const { dataset } = await read({ guardrails });
    expect(examples(dataset).map(({ unit, value }) => [unit, value])).toEqual([
      ["ann", 0],
      ["bob", 1],
      ["zoe", 0],
    ]);
    expect([...dataset.guardrails]).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test("chooses the window where nobody names one, and a request's comes before the objective's", async () => {
    const users = Array.from({ length: 90 }, (_, i) => `u${i}`);
    await decide(users.map((user_id, i) => ({ user_id, at: START + i * 1000, variant: i % 2 ? "on" : "off" })));
    await happen(users.filter((_, i) => i % 3 === 0).map((user_id, i) => ({ user_id, at: START + i * 3000 + 40_000 })));
    const open = { window_seconds: undefined };
    expect((await read(open, { now: START + 3 * DAY })).dataset.source.window_seconds).toBe(86_400);
    // Buyers buy after 40 seconds: within a third of the time observed, none has.
    const soon = await read(open, { now: START + 95_000 });
    expect(soon.dataset.source.window_seconds).toBeCloseTo(40.001, 6);
    expect(soon.exposures.used).toBe(55);
    expect((await read({}, { window_seconds: 60 })).dataset.source.window_seconds).toBe(60);
  });

  test("says what is missing", async () => {
    expect((await refusal(read())).message).toContain("there are no stored decisions");
    await decide([{ user_id: "ann", at: START, probabilities: { on: 1 } }]);
    expect(await refusal(read())).toMatchObject({ code: "no_exposures" });
    await decide([{ user_id: "bob", at: START }]);
    await happen([{ user_id: "bob", at: START, event_type: "view" }]);
    const never = await refusal(read());
    expect(never.code).toBe("one_class");
    expect(never.message).toContain("there are view (1)");
    await happen([{ user_id: "bob", at: START + 1 }]);
    expect(await refusal(read())).toMatchObject({ code: "one_arm", message: expect.stringContaining('"on"') });
    await decide([{ user_id: "cid", at: START, variant: "huge", probabilities: { off: 0.5, huge: 0.5 } }]);
    expect((await refusal(read())).message).toContain(
      'none of the 2 drawn decisions of "shop" served its safe variant',
    );
    await decide([BESIDES]);
    const long = await refusal(read({}, { window_seconds: 366 * 86_400 }));
    expect(long).toMatchObject({ code: "insufficient_data", field: "/window_seconds" });
    expect(long.message).toContain("shorter window_seconds");
  });
});
