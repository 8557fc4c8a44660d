import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { completeObjective } from "../../../core/feature/objective.ts";
import type { LoggedQuestion } from "../../../core/off-policy/decision-log.ts";
import type { LoggedRow } from "../../../core/off-policy/logged-row.ts";
import { decisionLog } from "../../../server/postgres/logged-decisions.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const EVEN: Readonly<Record<string, number>> = { on: 0.5, off: 0.5 };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.sql`truncate events, exposures`);
afterAll(() => database.close());

describe("decisionLog().read()", () => {
  test("gives each drawn decision with what came of it in its window", async () => {
    await decide([
      { user_id: "a", at: START, variant: "on", probabilities: { on: 0.25, off: 0.75 } },
      { user_id: "b", at: START + HOUR },
    ]);
    await happen([
      { user_id: "a", at: START - 1 },
      { user_id: "a", at: START },
      { user_id: "a", at: START + HOUR, event_type: "refund" },
      { user_id: "b", at: START + 2 * HOUR },
      { user_id: "b", at: START + HOUR + 1, event_type: "refund" },
    ]);
    const { rows, found, share, window_seconds } = await read();
    expect({ found, share, window_seconds }).toEqual({
      found: { drawn: 2, immature: 0, certain: 0, without_propensity: 0 },
      share: 1,
      window_seconds: 3600,
    });
    expect(rows).toEqual([
      {
        unit: "a",
        at: START,
        row: { schema: 1, "attribute.plan": "pro" },
        variant: "on",
        probability: 0.25,
        probabilities: { on: 0.25, off: 0.75 },
        reward: 1,
        guardrails: [0],
      },
      expect.objectContaining({ unit: "b", variant: "off", reward: 0, guardrails: [1] }),
    ]);
  });

  test("takes a numeric outcome as a share of its cap", async () => {
    await decide(["a", "b", "c"].map((user_id) => ({ user_id, at: START })));
    await happen([
      { user_id: "a", at: START, properties: { price: 30 } },
      { user_id: "a", at: START + 1, properties: { price: 10 } },
      { user_id: "b", at: START, properties: { price: 500 } },
      { user_id: "c", at: START, properties: { price: "a lot" } },
    ]);
    const { rows } = await read({ objective: { value: { property: "price", cap: 100 } } });
    expect(rows.map(({ unit, reward }) => [unit, reward])).toEqual([
      ["a", 0.4],
      ["b", 1],
      ["c", 0],
    ]);
  });

  test("takes the first decision of a user and day, and none that was certain, unknown, young or of another time", async () => {
    await decide([
      { user_id: "a", at: START },
      { user_id: "a", at: START + HOUR, variant: "on" },
      { user_id: "a", at: START + DAY },
      { user_id: "certain", at: START, probabilities: { off: 1 } },
      { user_id: "unknown", at: START, probabilities: null },
      { user_id: "young", at: START + 2 * DAY - HOUR / 2 },
      { user_id: "before", at: START - 2 },
      { user_id: "other", at: START, feature_key: "other" },
    ]);
    await happen([{ user_id: "a", at: START }]);
    const { rows, found } = await read({ from: START - 1 });
    expect(rows.map(({ unit, at, reward }) => [unit, (at - START) / DAY, reward])).toEqual([
      ["a", 0, 1],
      ["a", 1, 0],
    ]);
    expect(found).toEqual({ drawn: 3, immature: 1, certain: 1, without_propensity: 1 });
  });

  test("counts only the feature's own events where it has any", async () => {
    await decide([
      { user_id: "a", at: START },
      { user_id: "b", at: START },
    ]);
    await happen([{ user_id: "a", at: START, feature_key: "other" }]);
    expect((await read()).rows.map(({ reward }) => reward)).toEqual([1, 0]);
    await happen([{ user_id: "b", at: START }]);
    expect((await read()).rows.map(({ reward }) => reward)).toEqual([0, 1]);
  });

  test("chooses a third of the time as the window when the objective names none", async () => {
    await decide([{ user_id: "a", at: START }]);
    await happen([{ user_id: "a", at: START + 15 * HOUR }]);
    const { window_seconds, rows } = await read({ objective: { window_seconds: undefined } });
    expect(window_seconds).toBe((2 * DAY) / 3 / 1000);
    expect(rows.map(({ reward }) => reward)).toEqual([1]);
  });

  test("reads whole users when there are more decisions than asked for", async () => {
    const users = Array.from({ length: 400 }, (_, i) => `user-${i}`);
    await decide(users.flatMap((user_id) => [START, START + DAY].map((at) => ({ user_id, at }))));
    await happen([{ user_id: "user-1", at: START }]);
    const { rows, share } = await read({ limit: 200 });
    expect(share).toBe(0.25);
    expect(rows.length).toBeGreaterThan(120);
    expect(rows.length).toBeLessThan(280);
    expect(rows.length).toBe(2 * new Set(rows.map(({ unit }) => unit)).size);
  });

  test("says which events are missing", async () => {
    await decide([{ user_id: "a", at: START }]);
    await expect(read()).rejects.toMatchObject({
      code: "no_outcomes",
      message: expect.stringContaining("none of the objective's events (buy) has come since"),
    });
  });
});

interface Options extends Partial<Pick<LoggedQuestion, "from" | "limit">> {
  readonly objective?: object;
}

async function read({ objective, ...more }: Options = {}) {
  const complete = completeObjective({
    objective: { window_seconds: 3600, guardrails: [{ event_types: ["refund"] }], ...objective },
    off_variant: "off",
  });
  if (complete === null) throw new Error("There is no objective");
  const question = { feature_key: "shop", objective: complete, event_types: ["buy"] };
  const now = START + 2 * DAY;
  const logged = await decisionLog(database.sql).read("production", {
    ...question,
    ...{ from: START, to: now, now, limit: 1000 },
    ...more,
  });
  const rows: LoggedRow[] = [];
  for await (const batch of logged.rows) rows.push(...batch);
  return { ...logged, rows };
}

interface Decided {
  readonly user_id: string;
  readonly at: number;
  readonly variant?: string;
  readonly probabilities?: Readonly<Record<string, number>> | null;
  readonly feature_key?: string;
}

async function decide(decisions: readonly Decided[]): Promise<void> {
  const rows = decisions.map(({ at, variant = "off", probabilities = EVEN, feature_key = "shop", ...rest }, i) => ({
    ...rest,
    ...{ variant, probabilities, feature_key },
    decision_id: String(i),
    at: new Date(at).toISOString(),
    probability: probabilities?.[variant] ?? null,
  }));
  await database.sql`
    insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
      decision_source, reason, features, probability, probabilities)
    select decision_id, 'production', at, feature_key, 1, user_id, user_id, variant, true, 'rollout', 'SPLIT',
      '{"schema": 1, "attribute.plan": "pro"}', probability, probabilities
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as t(decision_id text, user_id text, at timestamptz, feature_key text, variant text, probability float8,
        probabilities jsonb)`;
}

interface Happened {
  readonly user_id: string;
  readonly at: number;
  readonly event_type?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly feature_key?: string;
}

async function happen(events: readonly Happened[]): Promise<void> {
  const rows = events.map(({ at, event_type = "buy", properties = {}, feature_key = "shop", user_id }) => ({
    ...{ user_id, event_type, properties, feature_key },
    at: new Date(at).toISOString(),
  }));
  await database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
    select 'production', at, user_id, feature_key, event_type, properties
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as t(user_id text, event_type text, feature_key text, at timestamptz, properties jsonb)`;
}
