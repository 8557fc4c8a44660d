import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Decision } from "../../../core/decision/decision.ts";
import type { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import type { Json } from "../../../core/json.ts";
import type { Model } from "../../../core/model/model.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { type TrainedModel, train } from "../../../core/model/train.ts";
import type { User } from "../../../core/strategy.ts";
import { createLocalEvaluation, type LocalEvaluation } from "../../../server/client/local-evaluation.ts";
import { decisionAnswer } from "../../../server/http/decision-answer.ts";
import { profileCache } from "../../../server/profile-cache.ts";
import { shop, trainOptions } from "../../core/model/made-up-shop.ts";
import { ARMS, trialDataset, trialExamples } from "../../core/model/made-up-trial.ts";
import { BANDIT_ARMS, makeBandit } from "../../support/make-bandit.ts";
import { STRATEGIES } from "../../support/make-configuration.ts";
import { json, NAMES, randomFeatures, toFeature } from "../../support/random-features.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

/** 100 features x 1,000 users: 100,000 pairs, each asked of the server and of the client beside it. */
const FEATURES = 100;
const USERS = 1_000;
const AT_ONCE = 10;
const NOW = Date.UTC(2026, 10, 22, 12);
const clock = { now: () => NOW };
const author = { actor: "test" };

let server: TestServer;
let local: LocalEvaluation;
const users = makeUsers();

beforeAll(async () => {
  server = await startTestServer({
    override: (services) => ({
      ...services,
      clock,
      // The server gives a profile 20 ms, and keeps it for 30 s: a busy machine takes longer, and it would be right to fall back.
      profiles: profileCache(services.profileStore, clock, { budgetMs: 60_000 }),
    }),
  });
  await makeProduct();
  const history = ["view", "buy", "view", "transaction"].flatMap((event_type, nth) =>
    users
      .filter((_, i) => i % (nth + 2) === 0)
      .map(({ user_id }, i) => ({
        user_id: user_id as string,
        feature_key: "base",
        event_type,
        timestamp: new Date(NOW - (1 + ((i * 7 + nth) % 900)) * 3_600_000).toISOString(),
        properties: { value: (i % 40) + nth / 3 },
      })),
  );
  await server.client.ingest("test", history);
  await server.services.snapshots.refresh("production");
  local = createLocalEvaluation({ url: server.url, clock, profileBudget: 60_000, exposureCapacity: 200_000 });
  await local.ready();
}, 120_000);
afterAll(async () => {
  await local?.close();
  await server?.close();
});

describe("createLocalEvaluation()", () => {
  test(`answers as the server does, for ${FEATURES * USERS} pairs of a feature and a user`, async () => {
    const keys = [...(server.services.snapshots.get("production")?.features.keys() ?? [])];
    expect(keys).toHaveLength(FEATURES);
    expect(local.state).toMatchObject({ stale: false, remote: [] });
    const sources = new Map<string, number>();
    const different: unknown[] = [];
    for (let from = 0; from < USERS; from += AT_ONCE) {
      const asked = users.slice(from, from + AT_ONCE);
      const { body } = await server.call("POST", "/evaluate/batch", { feature_keys: keys, users: asked });
      let at = 0;
      for (const user of asked)
        for (const key of keys) {
          const decision = await local.evaluate(key, user);
          const theirs = JSON.stringify({ ...body.results[at], decision_id: "" });
          const ours = JSON.stringify(decisionAnswer(decision as Decision, ""));
          if (ours !== theirs) different.push({ user, ours, theirs });
          const source = `${decision.decision_source} ${decision.fallback?.cause ?? ""}`.trim();
          sources.set(source, (sources.get(source) ?? 0) + 1);
          at += 1;
        }
      expect(at).toBe(body.results.length);
    }
    expect(different.slice(0, 3)).toEqual([]);
    // All ways to decide were taken, by many.
    for (const source of ["rule", "rollout", "ml", "bandit", "holdout", "experiment", "feature_disabled", "fallback"])
      expect([source, sources.get(source) ?? 0]).toEqual([source, expect.toSatisfy((count: number) => count > 200)]);
    for (const cause of ["missing_features", "low_confidence"])
      expect([...sources.keys()].some((source) => source.endsWith(cause))).toBe(true);
  }, 240_000);

  test("reports the very exposures the server has stored of its own decisions", async () => {
    await server.services.observer.flush();
    await local.flush();
    expect(local.state.exposures).toEqual({ waiting: 0, dropped: 0, refused: 0 });
    const { sql } = server.database;
    const [prefix] = (await local.evaluate("base", { user_id: "user-0" })).decision_id.split("-");
    const columns = await sql<{ column_name: string }[]>`
      select column_name from information_schema.columns
      where table_name = 'exposures' and column_name <> 'decision_id' order by ordinal_position`;
    const all = sql(columns.map(({ column_name }) => column_name));
    const ours = sql`select ${all} from exposures where decision_id like ${`${prefix}-%`}`;
    const theirs = sql`select ${all} from exposures where decision_id not like ${`${prefix}-%`}`;
    const [counted] = await sql`
      select (select count(*)::int from (${ours}) o) as ours, (select count(*)::int from (${theirs}) t) as theirs`;
    expect(counted?.ours).toBe(counted?.theirs);
    expect(counted?.ours).toBeGreaterThan(50_000);
    expect(await sql`(${ours} except all ${theirs}) limit 3`).toEqual([]);
    expect(await sql`select from (${ours}) o where probabilities is not null limit 1`).toHaveLength(1);
  }, 60_000);
});

/** Random features over all strategies, and those that learn: by a logistic model, by trees, by uplift and by bandits. */
async function makeProduct(): Promise<void> {
  const { features, segments, models, experiments } = server.services;
  const write = (key: string, feature: Partial<FeatureWrite>) =>
    features.create(
      "production",
      toDefinition({ key, name: key, ...feature } as FeatureWrite, { strategies: STRATEGIES }),
      author,
    );
  const step = (strategy: string, config: Json) => [{ id: "step", strategy, config, on_failure: "next" as const }];
  const rest = { id: "rest", strategy: "hash-bucketing", on_failure: "next" as const };
  const learning = (strategy: string, config: Json, arms: readonly string[]) => ({
    type: "string" as const,
    variants: Object.fromEntries(arms.map((arm) => [arm, arm])),
    off_variant: "off",
    steps: [...step(strategy, config), { ...rest, config: { arms: [{ variant: arms[1] as string, weight: 100 }] } }],
    objective: { event_types: ["transaction"], min_confidence: 0.3 } as FeatureWrite["objective"],
  });

  await write("base", { rollout_percentage: 60 });
  const propensity = { mode: "propensity", threshold_value: 0.3 };
  await write("by-logistic", learning("ml-model", propensity, ["off", "on"]));
  await write("by-trees", learning("ml-model", propensity, ["off", "on"]));
  await write("by-effect", learning("ml-model", {}, ARMS));
  const policies = ["squarecb", "thompson", "epsilon-greedy", "thompson-no-context"];
  for (const policy of policies) await write(`by-${policy}`, learning("bandit", { policy }, BANDIT_ARMS));
  await write("needs-a-model", {
    steps: [
      {
        ...rest,
        when: { feature: "by-logistic", variant: ["on"] },
        config: { arms: [{ variant: "on", weight: 100 }] },
      },
    ],
  });
  await write("off", { enabled: false });
  for (const tried of ["tried-a", "tried-b", "tried-c"]) await write(tried, { rollout_percentage: 30 });

  const { condition } = randomFeatures({ features: ["base"], segments: ["one"] });
  const [one, two] = fc.sample(condition, { seed: 7, numRuns: 2 });
  await segments.create("production", {
    key: "one",
    name: "One",
    condition: { attribute: "/plan", op: "in", value: ["pro", "team"] },
  });
  await segments.create("production", { key: "two", name: "Two", condition: { any: [one ?? true, two ?? true] } });
  const made = (await features.list("production")).length;
  const { feature } = randomFeatures({ features: ["base", "by-logistic", "tried-a"], segments: ["one", "two"] });
  const drafts = fc.sample(feature, { seed: 11, numRuns: FEATURES - made });
  for (const [at, draft] of drafts.entries()) {
    const { steps, ...drawn } = toFeature(`random-${at}`, draft);
    // Half of them begin with a rule or a split of their own, or too many would fall through.
    await write(`random-${at}`, {
      ...drawn,
      steps: at % 2 === 0 ? steps : steps.filter((each) => each.strategy !== "ml-model"),
    } as Partial<FeatureWrite>);
  }

  for (const feature_key of ["tried-a", "tried-b", "tried-c"])
    await experiments.create("production", {
      ...{ name: feature_key, feature_key, primary_metric_event: "buy", min_samples_per_variant: 100 },
      ...{ min_lift: 0.02, alpha: 0.05, enabled: true },
      arms: [
        { name: "A", variant: "off", weight: 50 },
        { name: "B", variant: "on", weight: 50 },
      ],
    });

  const save = (
    { promote: _, ...trained }: TrainedModel,
    feature_key: string | null,
    promotion: "live" | { traffic: number },
  ) =>
    models.save(
      "production",
      { ...trained, feature_key, trained_at: new Date(NOW).toISOString(), job_id: null },
      promotion,
    );
  const logistic = train(shop({ users: 1500 }), trainOptions());
  const trees = train(shop({ users: 1500 }), trainOptions({ learner: "trees" }));
  await save(logistic, "by-logistic", "live");
  await save(trees, "by-logistic", { traffic: 0.3 });
  await save(trees, "by-trees", "live");
  await save(logistic, null, "live");
  await save(
    train(trialDataset(trialExamples({ users: 6000 })), trainOptions({ target: "uplift" })),
    "by-effect",
    "live",
  );
  for (const policy of policies) {
    const { artifact, learner, hash, seed, metrics, process, verdict }: Model = makeBandit();
    const trained = { artifact, learner, hash, seed, metrics, process, verdict, feature_key: `by-${policy}` };
    await models.save("production", { ...trained, trained_at: new Date(NOW).toISOString(), job_id: null }, "live");
  }
}

/** As JSON brings them; some with what the models look at, some with anything. */
function makeUsers(): readonly User[] {
  const random = seededRandom(5);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
  const odd = fc.sample(fc.dictionary(fc.constantFrom(...NAMES), json, { maxKeys: 6, noNullPrototype: false }), {
    seed: 3,
    numRuns: USERS,
  });
  return odd.map((attributes, i) => {
    const known = {
      plan: pick(["free", "pro", "team"]),
      mobile: random() < 0.5,
      basket: Math.exp(3 * random()) * 10,
      age: random() < 0.2 ? null : 18 + Math.floor(60 * random()),
      code: Math.floor(5 * random()),
    };
    const user = { ...(i % 3 === 0 ? {} : known), ...(i % 2 === 0 ? attributes : {}), user_id: `user-${i}` };
    return JSON.parse(JSON.stringify(user)) as User;
  });
}
