import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HoldoutLift } from "../../../core/experiment/holdout-lift.ts";
import { completeObjective } from "../../../core/feature/objective.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { createAssignment } from "../../../core/policy/assignment.ts";
import { plain, texts, times } from "../../../server/postgres/array-literal.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const NOW = Date.UTC(2026, 5, 30);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = NOW - 10 * DAY;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock: { now: () => NOW } }) });
});
afterAll(() => server.close());

const objective = { event_types: ["purchase"], window_seconds: 86_400, holdout: 0.2 };

describe("GET /features/{feature}/lift", () => {
  test("finds a real effect, by intention to treat, and what each arm is worth by itself", async () => {
    const key = await feature("lifts", objective);
    const { held } = await live(key, { objective, rates: { off: 0.1, on: 0.2 } });
    const found = await lift(key);
    expect(found).toMatchObject({ verdict: "lifts", window_seconds: 86_400, direction: "increase", immature_users: 0 });
    expect([found.model.users, found.holdout.users]).toEqual([USERS - held, held]);
    expect(found.model.mean).toBeCloseTo(0.2, 1.6);
    // Half of the holdout gets off, the other half either: three quarters off.
    expect(found.holdout.mean).toBeCloseTo(0.125, 1.6);
    expect(found.absolute_lift).toBeCloseTo((found.model.mean as number) - (found.holdout.mean as number), 12);
    expect(found.interval?.[0]).toBeLessThan(0.075);
    expect(found.interval?.[1]).toBeGreaterThan(0.075);
    expect(found.relative_interval?.[0]).toBeGreaterThan(0);
    expect(found.p_value).toBeLessThan(1e-6);
    expect(found.sample_ratio).toMatchObject({ ok: true });
    expect(found.message).toMatch(/^The model lifts the objective: .* of [\d,]+ users against .* of [\d,]+ held out/);

    const { safe_half, uniform_half } = found.holdout;
    expect(safe_half.users + uniform_half.users).toBe(held);
    expect(Math.abs(safe_half.users / held - 0.5)).toBeLessThan(0.04);
    expect(safe_half.mean).toBeCloseTo(0.1, 1.3);
    const [on, off] = uniform_half.arms;
    expect([on?.variant, off?.variant]).toEqual(VARIANTS);
    expect(off?.mean).toBeCloseTo(0.1, 1.3);
    expect(on?.mean).toBeCloseTo(0.2, 1.3);

    // Every fourth of the model group fell back; a repeated decision and one of a rule are decisions, but nobody's first.
    expect(found.decisions.total).toBe(USERS + 2);
    const shares = new Map(found.decisions.by_source.map(({ decision_source, share }) => [decision_source, share]));
    expect(shares.get("holdout")).toBeCloseTo(held / USERS, 3);
    expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(found.decisions.by_fallback_cause).toMatchObject([{ cause: "low_confidence" }]);
  });

  test("finds nothing where there is nothing, and says how many users would tell", async () => {
    const key = await feature("a-a", objective);
    await live(key, { objective, rates: { off: 0.1, on: 0.1 } });
    const found = await lift(key);
    expect(found.verdict).toBe("no_evidence");
    expect(found.interval?.[0]).toBeLessThan(0);
    expect(found.interval?.[1]).toBeGreaterThan(0);
    expect(found.message).toMatch(/^No evidence yet: .* it needs about [\d,]+ more users in the holdout\.$/);
  });

  test("says worse of a model that lowers what should rise, and lifts when it should fall", async () => {
    const rates = { off: 0.2, on: 0.1 };
    const rising = await feature("worse", objective);
    await live(rising, { objective, rates });
    expect(await lift(rising)).toMatchObject({
      verdict: "worse",
      message: expect.stringMatching(/^The model is worse than no model: /),
    });
    const decreasing = { ...objective, direction: "decrease" as const };
    const falling = await feature("fewer-errors", decreasing);
    await live(falling, { objective: decreasing, rates });
    const found = await lift(falling);
    expect(found).toMatchObject({ verdict: "lifts", direction: "decrease" });
    expect(found.absolute_lift).toBeLessThan(0);
  });

  test("takes the capped value of a numeric objective, and watches the guardrails", async () => {
    const numeric = {
      ...objective,
      value: { property: "amount", cap: 50 },
      guardrails: [{ event_types: ["complaint"] }, { event_types: ["visit"], harmful: "decrease" as const }],
    };
    const key = await feature("numeric", numeric);
    // Two purchases of 40: 50 after the cap.
    await live(key, { objective: numeric, rates: { off: 0.1, on: 0.2 }, amounts: [40, 40] });
    await also(key, "complaint", (variant, i) => i % 20 < (variant === "on" ? 4 : 2));
    await also(key, "visit", (_, i) => i % 2 === 0);
    const found = await lift(key);
    expect(found.verdict).toBe("lifts");
    expect(found.model.mean).toBeCloseTo(50 * 0.2, -0.3);
    expect(found.holdout.mean).toBeCloseTo(50 * 0.125, -0.3);
    expect(found.interval?.[0]).toBeGreaterThan(0);
    expect(found.guardrails).toMatchObject([
      { event_types: ["complaint"], harmful: "increase", margin: 0.1, verdict: "harm" },
      { event_types: ["visit"], harmful: "decrease", verdict: "ok" },
    ]);
    expect(found.guardrails[0]?.model).toBeCloseTo(0.2, 1.6);
    expect(found.message).toContain(" But complaint did harm: more users by ");
  });

  test("counts a user by the first decision from the asked time on, and none whose window has not passed", async () => {
    const key = await feature("period", objective);
    const rows = [
      decision({ user_id: "early", at: START, decision_source: "ml", variant: "on" }),
      decision({ user_id: "early", at: NOW - 3 * DAY, decision_source: "ml", variant: "on" }),
      decision({ user_id: "late", at: NOW - HOUR, decision_source: "ml", variant: "on" }),
      decision({ user_id: "held", at: NOW - 2 * DAY, decision_source: "holdout", variant: "off" }),
      decision({ user_id: "", at: NOW - 2 * DAY, decision_source: "ml", variant: "on" }),
    ];
    await store(key, rows);
    await happen([event("early", key, START + 1)]);
    const all = await lift(key, new Date(START).toISOString());
    expect([all.model, all.holdout.users, all.immature_users]).toEqual([{ users: 1, mean: 1 }, 1, 1]);
    const later = await lift(key, new Date(NOW - 5 * DAY).toISOString());
    expect([later.model, later.decisions.total]).toEqual([{ users: 1, mean: 0 }, 4]);
    expect(later.from).toBe(new Date(NOW - 5 * DAY).toISOString());
  });

  test("starts by default when the live model went live", async () => {
    const key = await feature("since", objective);
    expect((await lift(key)).from).toBe(new Date(NOW - 30 * DAY).toISOString());
    const { version } = await server.services.models.save("production", model(key), "live");
    const ramped = new Date(NOW - 2 * DAY);
    await server.database.sql`update models set ramped_at = ${ramped} where version = ${version}`;
    expect((await lift(key)).from).toBe(ramped.toISOString());
  });

  test("sees groups of the wrong size before anything else", async () => {
    const key = await feature("lost", objective);
    await live(key, { objective, rates: { off: 0.1, on: 0.2 } });
    await server.database.sql`
      delete from exposures where feature_key = ${key} and decision_source = 'holdout' and user_id like '%1'`;
    const found = await lift(key);
    expect(found).toMatchObject({ verdict: "sample_ratio_mismatch", sample_ratio: { ok: false } });
    expect(found.message).toBe(found.sample_ratio?.message);
  });

  test("answers in words when there is nothing to compare", async () => {
    const none = await feature("without", undefined);
    expect(await lift(none)).toMatchObject({
      verdict: "no_holdout",
      message: expect.stringContaining("set an objective"),
      model: { users: 0, mean: null },
      absolute_lift: null,
      interval: null,
      p_value: null,
      sample_ratio: null,
    });
    const zero = await feature("nobody-out", { ...objective, holdout: 0 });
    expect(await lift(zero)).toMatchObject({ verdict: "no_holdout", message: expect.stringContaining("above 0") });
    const empty = await feature("empty", objective);
    expect(await lift(empty)).toMatchObject({
      verdict: "no_evidence",
      message: "No evidence yet: no user was decided for in this period.",
    });
    await store(empty, [decision({ user_id: "a", at: NOW - HOUR, decision_source: "ml", variant: "on" })]);
    expect((await lift(empty)).message).toContain("for none of them the objective's window has passed");
    await store(empty, [decision({ user_id: "b", at: START, decision_source: "ml", variant: "on" })]);
    expect((await lift(empty)).message).toContain("none of 1 users has reached the objective");
  });

  test("answers 404 for a feature there is not and 422 for a time that is none", async () => {
    expect((await server.call("GET", "/features/nowhere/lift")).status).toBe(404);
    await feature("timely", objective);
    const { status, body } = await server.call("GET", "/features/timely/lift?from=yesterday");
    expect([status, body.detail.field]).toEqual([422, "from"]);
  });
});

const USERS = 12_000;
/** Of a boolean feature, in its order. */
const VARIANTS = ["on", "off"] as const;

async function lift(key: string, from?: string): Promise<HoldoutLift> {
  const query = from === undefined ? "" : `?from=${encodeURIComponent(from)}`;
  const { status, body } = await server.call("GET", `/features/${key}/lift${query}`);
  expect([status, status === 200 ? "" : body]).toEqual([200, ""]);
  return body;
}

async function feature(key: string, objective: object | undefined): Promise<string> {
  const { status, body } = await server.call("POST", "/features", {
    key,
    name: key,
    ml_enabled: true,
    ...(objective === undefined ? {} : { objective }),
  });
  expect([status, status === 201 ? "" : body]).toEqual([201, ""]);
  return key;
}

interface Row {
  readonly user_id: string;
  readonly at: number;
  readonly variant: string;
  readonly decision_source: string;
  readonly step: string | null;
  readonly fallback: string | null;
}

function decision(row: Omit<Row, "step" | "fallback"> & Partial<Row>): Row {
  return { step: "model", fallback: null, ...row };
}

interface Event {
  readonly user_id: string;
  readonly feature_key: string;
  readonly at: number;
  readonly type: string;
  readonly amount: number;
}

function event(user_id: string, feature_key: string, at: number, type = "purchase", amount = 1): Event {
  return { user_id, feature_key, at, type, amount };
}

/**
 * Users as the engine would divide them. The model serves everybody "on", and when it is unsure the rollout does. What they
 * buy follows from the variant; of those who do not buy, some do just before, just after the window, or elsewhere.
 */
async function live(
  key: string,
  {
    objective,
    rates,
    amounts = [1],
  }: {
    objective: object;
    rates: Readonly<Record<"off" | "on", number>>;
    amounts?: readonly number[];
  },
): Promise<{ held: number }> {
  const complete = completeObjective({ objective, off_variant: "off" });
  const assignment = createAssignment(key, VARIANTS, complete);
  const random = seededRandom(11);
  const events: Event[] = [];
  const rows = Array.from({ length: USERS }, (_, i): Row => {
    const user_id = `user-${i}`;
    const at = START + Math.floor(random() * 5 * DAY);
    const held = assignment.isHeldOut(user_id);
    const variant = held ? (VARIANTS[assignment.holdOut(user_id).arm] ?? "on") : "on";
    if (random() < rates[variant]) {
      for (const amount of amounts) events.push(event(user_id, key, at + HOUR, "purchase", amount));
    } else if (i % 4 === 0) events.push(event(user_id, key, at - 1));
    else if (i % 4 === 1) events.push(event(user_id, key, at + DAY));
    else if (i % 4 === 2) events.push(event(user_id, "another", at + HOUR));
    else events.push(event(user_id, key, at + HOUR, "view"));
    if (held) return decision({ user_id, at, variant, decision_source: "holdout" });
    if (i % 4 !== 0) return decision({ user_id, at, variant, decision_source: "ml" });
    return { user_id, at, variant, decision_source: "rollout", step: "rollout", fallback: "model" };
  });
  const again = rows.find(({ decision_source }) => decision_source === "ml") as Row;
  const rule = {
    user_id: "of-a-rule",
    at: START,
    variant: "off",
    decision_source: "rule",
    step: "rule",
    fallback: null,
  };
  await store(key, [...rows, { ...again, at: again.at + 2 * DAY, variant: "off" }, rule]);
  await happen(events);
  return { held: rows.filter(({ decision_source }) => decision_source === "holdout").length };
}

/** An event an hour after their decision, of those users the test says. */
async function also(key: string, type: string, who: (variant: string, i: number) => boolean): Promise<void> {
  const rows = await server.database.sql<{ user_id: string; variant: string; at: Date }[]>`
    select distinct on (user_id) user_id, variant, at from exposures
    where feature_key = ${key} and step <> 'rule' order by user_id, at`;
  const counts = new Map<string, number>();
  const events = rows.filter(({ variant }) => {
    const i = counts.get(variant) ?? 0;
    counts.set(variant, i + 1);
    return who(variant, i);
  });
  await happen(events.map(({ user_id, at }) => event(user_id, key, at.getTime() + HOUR, type)));
}

async function store(key: string, rows: readonly Row[]): Promise<void> {
  const of = (read: (row: Row) => string | null) => texts(rows.map(read));
  await server.database.sql`
    insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
      decision_source, reason, step, fallback_from, fallback_cause)
    select gen_random_uuid()::text, 'production', at, ${key}, 1, user_id, user_id, variant, variant = 'on', source, 'SPLIT', step,
      fallback, case when fallback is not null then 'low_confidence' end
    from unnest(
      ${of((row) => row.user_id)}::text::text[],
      ${times(rows.map((row) => row.at))}::text::timestamptz[],
      ${of((row) => row.variant)}::text::text[],
      ${of((row) => row.decision_source)}::text::text[],
      ${of((row) => row.step)}::text::text[],
      ${of((row) => row.fallback)}::text::text[]) as input (user_id, at, variant, source, step, fallback)`;
}

async function happen(events: readonly Event[]): Promise<void> {
  await server.database.sql`
    insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
    select 'production', at, user_id, feature_key, type, jsonb_build_object('amount', amount)
    from unnest(
      ${times(events.map(({ at }) => at))}::text::timestamptz[],
      ${texts(events.map(({ user_id }) => user_id))}::text::text[],
      ${texts(events.map(({ feature_key }) => feature_key))}::text::text[],
      ${texts(events.map(({ type }) => type))}::text::text[],
      ${plain(events.map(({ amount }) => amount))}::text::float8[]) as input (at, user_id, feature_key, type, amount)`;
}

function model(feature_key: string) {
  return {
    feature_key,
    learner: "logistic" as const,
    trained_at: new Date(START).toISOString(),
    artifact: {},
    hash: "00",
    seed: 1,
    metrics: {},
    process: {},
    verdict: "Live.",
    job_id: null,
  };
}
