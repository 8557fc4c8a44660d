import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/model/random.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const USERS = 3000;

/** On helps those on the pro plan; half of the users are. */
const rate = (variant: string, plan: string) => (variant === "on" && plan === "pro" ? 0.4 : 0.2);

let now = START;
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ override: (services) => ({ ...services, clock: { now: () => now } }) });
  const objective = {
    event_types: ["buy"],
    window_seconds: 3600,
    grace_seconds: 60,
    guardrails: [{ event_types: ["complaint"] }],
  };
  await created({
    key: "shop",
    name: "Shop",
    rollout_percentage: 50,
    type: "boolean",
    variants: { on: true, off: false, other: true },
    objective,
  });
  const random = seededRandom(4);
  const users = Array.from({ length: USERS }, (_, i) => ({ user_id: `user-${i}`, plan: i % 2 === 0 ? "pro" : "free" }));
  const events: object[] = [];
  for (let from = 0; from < USERS; from += 500) {
    now = START + from * 1000;
    const some = users.slice(from, from + 500);
    const { results } = await called("/evaluate/batch", { feature_key: "shop", users: some });
    for (const [i, { variant }] of results.entries()) {
      const { user_id, plan } = some[i] as (typeof users)[number];
      const event = { user_id, feature_key: "shop" };
      // Some too late: they are not an outcome.
      const at = random() < rate(variant, plan) ? now + HOUR / 2 : now + 2 * HOUR;
      events.push({ ...event, event_type: "buy", timestamp: new Date(at).toISOString() });
      if (random() < 0.1)
        events.push({ ...event, event_type: "complaint", timestamp: new Date(now + 1000).toISOString() });
    }
  }
  await server.services.observer.flush();
  now = START + DAY;
  await called("/ingest/events", { source: "test", events: events.slice(0, 3000) }, 201);
  await called("/ingest/events", { source: "test", events: events.slice(3000) }, 201);
});
afterAll(() => server.close());

describe("POST /features/{feature}/replay", () => {
  test("values always serving a variant by what came of a 50 % rollout", async () => {
    const answer = await replay({ always: "on" });
    expect(answer).toMatchObject({
      answered: true,
      refusal: null,
      feature_key: "shop",
      policy: 'always "on"',
      window_seconds: 3600,
      sampled_share: 1,
      evidence: { decisions: USERS, units: USERS, left_out: { immature: 0, certain: 0, without_propensity: 0 } },
    });
    expect(answer.outcome.policy.interval).toSatisfy(holds(0.3));
    expect(answer.outcome.served.interval).toSatisfy(holds(0.25));
    expect(answer.outcome.difference.interval).toSatisfy(holds(0.05));
    for (const name of ["ips", "snips", "dr"]) expect(answer.estimates[name].interval).toSatisfy(holds(0.3));
    expect(answer.verdict).toMatch(/^Always "on" would have been better than what was served: 0\.\d{4} a decision/);
    expect(answer.guardrails[0].policy.interval).toSatisfy(holds(0.1));
  });

  test("values another percentage, and other rules", async () => {
    const rollout = await replay({ rollout_percentage: 80 });
    expect(rollout.policy).toBe("a rollout to 80 %");
    expect(rollout.outcome.policy.interval).toSatisfy(holds(0.28));
    expect(rollout.evidence.max_weight).toBeCloseTo(1.6, 9);
    const rule = await replay({ steps: onForPro("on") });
    expect(rule.outcome.policy.interval).toSatisfy(holds(0.3));
    expect(rule.outcome.difference.value).toBeGreaterThan(0.03);
    const wrong = await replay({ steps: onForPro("off") });
    expect(wrong.outcome.policy.interval).toSatisfy(holds(0.2));
    expect(wrong.verdict).toContain("The steps would have been worse than what was served");
  });

  test("changes nothing", async () => {
    await replay({ rollout_percentage: 80 });
    expect((await server.call("GET", "/features/shop")).body).toMatchObject({ rollout_percentage: 50, version: 1 });
  });

  test("refuses a variant that nobody was ever served, and says what would work", async () => {
    const answer = await replay({ always: "other" });
    expect(answer).toMatchObject({ answered: false, refusal: "never_drawn", outcome: null });
    expect(answer.verdict).toContain("Explore at 10 % for about 3,000 more decisions, then ask again.");
  });

  test("reads a part of the users when there are more decisions than asked for, and says so", async () => {
    const answer = await replay({ always: "on" }, { limit: 1500 });
    expect(answer.sampled_share).toBe(0.5);
    expect(answer.evidence.decisions).toBeGreaterThan(1350);
    expect(answer.evidence.decisions).toBeLessThan(1650);
    expect(answer.outcome.policy.interval).toSatisfy(holds(0.3));
    expect(answer.verdict).toContain("Read were the decisions of 50 % of the users");
  });

  test("takes no decision whose outcome is not known yet, nor one of another time", async () => {
    const late = new Date(START + 10 * DAY).toISOString();
    const later = await replay({ always: "on" }, { from: new Date(START + 2 * DAY).toISOString(), to: late });
    expect(later.refusal).toBe("no_decisions");
    now = START + HOUR + 60_000 + 1_200_000;
    const young = await replay({ always: "on" });
    now = START + DAY;
    expect(young.evidence.decisions).toBe(1500);
    expect(young.evidence.left_out.immature).toBe(1500);
  });

  test("answers 404 for a feature or a model that does not exist", async () => {
    expect((await asked("nowhere", { policy: { always: "on" } })).status).toBe(404);
    const { status, body } = await asked("shop", { policy: { model_version: "shop@9" } });
    expect([status, body.detail.message]).toEqual([404, 'There is no model "shop@9" in this environment']);
  });

  test.each([
    ["a variant it does not have (any more)", { always: "deleted" }, "unknown_variant", "policy.always"],
    ["steps that serve one", { steps: onForPro("deleted") }, "unknown_variant", "policy.steps.0.config"],
    ["a segment that does not exist", { steps: onForPro("on", { segment: "nobody" }) }, "missing_segment", "policy"],
    ["two policies", { always: "on", rollout_percentage: 5 }, "validation_error", undefined],
    ["no policy", {}, "validation_error", undefined],
  ])("answers 422 for %s", async (_, policy, code, field) => {
    const { status, body } = await asked("shop", { policy });
    expect([status, body.detail.code]).toEqual([422, code]);
    if (field !== undefined) expect(body.detail.field).toBe(field);
  });

  test("takes models of the feature that were trained, whatever became of them", async () => {
    await server.database.sql`
      insert into models (environment, version, feature_key, number, status, learner, trained_at, artifact, hash, seed,
        metrics, process, verdict)
      select 'production', version, feature_key, 1, status, 'logistic', now(), '{}', '', 1, '{}', '{}', ''
      from (values ('shop@1', 'shop', 'retired'), ('other@1', 'other', 'candidate'), ('third@1', null, 'failed'))
        as model (version, feature_key, status)`;
    // One that cannot be read decides nothing, so the feature does what it did.
    const own = await replay({ model_version: "shop@1" });
    expect(own.verdict).toContain("Model shop@1 would have been not clearly different from what was served");
    const other = await asked("shop", { policy: { model_version: "other@1" } });
    expect([other.status, other.body.detail.code]).toEqual([422, "other_feature"]);
    const failed = await asked("shop", { policy: { model_version: "third@1" } });
    expect([failed.status, failed.body.detail.code]).toEqual([422, "failed_model"]);
  });

  test("answers 422 for a feature without an objective, and for one whose events never came", async () => {
    await created({ key: "plain", name: "Plain", rollout_percentage: 50 });
    const plain = await asked("plain", { policy: { always: "on" } });
    expect([plain.status, plain.body.detail.code]).toEqual([422, "no_objective"]);
    await created({
      key: "silent",
      name: "Silent",
      rollout_percentage: 50,
      objective: { event_types: ["never"], window_seconds: 60 },
    });
    const users = Array.from({ length: 200 }, (_, i) => ({ user_id: `user-${i}` }));
    await called("/evaluate/batch", { feature_key: "silent", users });
    await server.services.observer.flush();
    now += HOUR;
    const silent = await asked("silent", { policy: { always: "on" } });
    now -= HOUR;
    expect([silent.status, silent.body.detail.code]).toEqual([422, "no_outcomes"]);
    expect(silent.body.detail.message).toContain("none of the objective's events (never) has come");
  });

  test("refuses in words while everybody is served the same", async () => {
    await created({
      key: "certain",
      name: "Certain",
      rollout_percentage: 100,
      objective: { event_types: ["buy"], window_seconds: 60 },
    });
    const users = Array.from({ length: 20 }, (_, i) => ({ user_id: `user-${i}` }));
    await called("/evaluate/batch", { feature_key: "certain", users });
    await server.services.observer.flush();
    const { body } = await asked("certain", { policy: { always: "off" }, to: new Date(now + DAY).toISOString() });
    expect(body).toMatchObject({ answered: false, refusal: "no_draw" });
    expect(body.verdict).toContain("none of the decisions was drawn (20 were certain)");
  });
});

function onForPro(variant: string, when: object = { attribute: "/plan", op: "equals", value: "pro" }) {
  return [{ id: "pro", strategy: "rule-filters", config: { rules: [{ when, variant }] } }];
}

async function created(feature: object): Promise<void> {
  await called("/features", feature, 201);
}

async function called(path: string, body: object, expected = 200) {
  const answer = await server.call("POST", path, body);
  expect([answer.status, answer.status === expected ? "" : answer.body]).toEqual([expected, ""]);
  return answer.body;
}

function asked(feature: string, body: object) {
  return server.call("POST", `/features/${feature}/replay`, body);
}

function replay(policy: object, more: object = {}) {
  return called("/features/shop/replay", { policy, ...more });
}

function holds(truth: number) {
  return ([low, high]: readonly [number, number]) => low <= truth && truth <= high;
}
