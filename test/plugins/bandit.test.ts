import { describe, expect, test } from "vitest";
import { completeObjective, Objective } from "../../core/feature/objective.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import { thompsonWeights } from "../../core/policy/thompson-weights.ts";
import type { Ask, Decide, Evaluator, Host, Verdict } from "../../core/strategy.ts";
import { strategy } from "../../plugins/bandit/bandit.ts";
import { BANDIT_ARMS, makeBandit, TRAINED } from "../support/make-bandit.ts";

const model = makeBandit();
const POLICIES = ["squarecb", "thompson", "linucb", "epsilon-greedy", "thompson-no-context"] as const;

function objectiveOf(changes: object = {}): Host["objective"] {
  return completeObjective({ objective: Objective.parse(changes), off_variant: "off" });
}

interface Changes {
  readonly model?: Model | undefined;
  readonly challenger?: Model;
  readonly objective?: object | null;
  readonly variants?: readonly string[];
}

function host(changes: Changes = {}): Host {
  return {
    feature: {
      key: "offer",
      type: "string",
      variants: changes.variants ?? BANDIT_ARMS,
      off_variant: "off",
      fallback_variant: "off",
    },
    objective: changes.objective === null ? null : objectiveOf(changes.objective),
    model: "model" in changes ? changes.model : model,
    challenger: changes.challenger,
    condition: () => {
      throw new Error("Not used");
    },
  };
}

function prepare(config: Record<string, Json> = {}, changes: Changes = {}): Evaluator {
  return strategy.prepare(strategy.config.parse(config), host(changes));
}

function ask(user: Record<string, Json>, changes: Partial<Ask> = {}): Ask {
  return { user, now: TRAINED, explain: false, profile: {}, variantOf: () => undefined, ...changes };
}

const decide = (evaluate: Evaluator, user_id: string, age: number, changes: Partial<Ask> = {}) =>
  evaluate(ask({ user_id, age }, changes)) as Verdict & Decide;

const shares = (evaluate: Evaluator, user: Record<string, Json>) =>
  evaluate.distribution?.(ask({ user_id: "x", ...user }));

/** Pearson's statistic; arms that are never to be served must not be. */
function chiSquare(counts: Readonly<Record<string, number>>, probabilities: Readonly<Record<string, number>>): number {
  const n = Object.values(counts).reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (const [name, p] of Object.entries(probabilities))
    if (p > 0) sum += ((counts[name] ?? 0) - n * p) ** 2 / (n * p);
    else expect(counts[name] ?? 0).toBe(0);
  return sum;
}

describe("bandit", () => {
  test.each([
    ...POLICIES.map((policy) => [policy, {}, {}] as const),
    ["squarecb", { exploration: "frozen" }, {}] as const,
    ["epsilon-greedy", { holdout: 0, direction: "decrease" }, { epsilon: 0.2 }] as const,
  ])("serves 200,000 users as often as it says: %s with %o and %o", (policy, objective, config) => {
    const evaluate = prepare({ policy, gamma0: 0.5, ...config }, { objective });
    const told = shares(evaluate, { age: 1 })?.probabilities ?? {};
    expect(Object.values(told).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const counts: Record<string, number> = {};
    for (let i = 0; i < 200_000; i++) {
      const { variant } = decide(evaluate, `user-${i}`, 1);
      counts[variant] = (counts[variant] ?? 0) + 1;
    }
    // 99.9 % of the chi-square distribution with two degrees of freedom.
    expect(chiSquare(counts, told)).toBeLessThan(13.8);
  });

  test("carries the served variant's own probability, of which none is below the floor", () => {
    for (const policy of POLICIES) {
      const evaluate = prepare({ policy });
      for (let i = 0; i < 200; i++) {
        const { variant, probability = 0, source } = decide(evaluate, `user-${i}`, -1);
        expect(probability).toBe(shares(evaluate, { age: -1 })?.probabilities[variant]);
        expect(probability).toBeGreaterThanOrEqual(0.1 / 3);
        expect([undefined, "holdout"]).toContain(source);
      }
    }
  });

  test("prefers for each user what is best for that user, but for the policy without context", () => {
    for (const policy of POLICIES) {
      const young = shares(prepare({ policy }), { age: -1 })?.probabilities ?? {};
      const old = shares(prepare({ policy }), { age: 1 })?.probabilities ?? {};
      if (policy === "thompson-no-context") expect(young).toEqual(old);
      else {
        expect(young.green, policy).toBeGreaterThan(0.8);
        expect(old.blue, policy).toBeGreaterThan(0.8);
      }
    }
  });

  test("prefers the least where less is better", () => {
    for (const policy of POLICIES) {
      const found = shares(prepare({ policy }, { objective: { direction: "decrease" } }), { age: 1 });
      expect(found?.probabilities.off, policy).toBeGreaterThan(0.7);
    }
  });

  test("weighs arms without context by their samples alone", () => {
    const { arms } = (model.artifact as { model: { arms: { n: number; b: number[] }[] } }).model;
    const { weights } = thompsonWeights(
      arms.map(({ n, b }) => ({ type: "proportion", n: n + 2, sum: (b[1] as number) + 1 })),
    );
    const found = shares(
      prepare({ policy: "thompson-no-context" }, { objective: { exploration: "frozen", holdout: 0 } }),
      {},
    );
    BANDIT_ARMS.forEach((name, arm) => {
      expect(found?.probabilities[name]).toBeCloseTo(weights[arm] as number, 3);
    });
  });

  test("asks calibrated outcomes of a model of another learner, and greed grows with its rows", () => {
    const few = makeBandit({ learner: "logistic", outcomes: 100 });
    const many = makeBandit({ learner: "logistic", outcomes: 1_000_000 });
    const of = (live: Model) => shares(prepare({}, { model: live }), { age: 1 })?.probabilities.blue ?? 0;
    expect(of(few)).toBeGreaterThan(0.5);
    expect(of(many)).toBeGreaterThan(of(few));
    const { score } = decide(prepare({}, { model: many, objective: { holdout: 0 } }), "user-1", 1);
    expect(score).toBeCloseTo(1 / (1 + Math.exp(2.2 - 1.1)), 12);
    expect(decide(prepare({ policy: "thompson" }, { model: many }), "user-1", 1, { explain: true })).toMatchObject({
      abstain: "no_model",
      detail: expect.stringContaining("needs a model of the learner ridge"),
    });
  });

  test("keeps a user's draw inside an epoch, and draws anew in the next", () => {
    const evaluate = prepare({ gamma0: 0.5 }, { objective: { window_seconds: 3600 } });
    const users = Array.from({ length: 500 }, (_, i) => `user-${i}`);
    const served = (now: number) => users.map((user) => decide(evaluate, user, 1, { now }).variant);
    const noon = served(TRAINED + 43_200_000);
    expect(served(TRAINED)).toEqual(noon);
    expect(served(TRAINED + 86_399_999)).toEqual(noon);
    expect(served(TRAINED + 86_400_000)).not.toEqual(noon);
    // Another model with the same opinion changes nothing, another user's attribute neither.
    const again = prepare(
      { gamma0: 0.5 },
      { objective: { window_seconds: 3600 }, model: { ...model, version: "offer@2" } },
    );
    expect(users.map((user) => decide(again, user, 1).variant)).toEqual(noon);
  });

  test("holds the same users out for ever, whatever the policy, the model and the day", () => {
    const held = (evaluate: Evaluator, now = TRAINED) =>
      Array.from({ length: 2000 }, (_, i) => decide(evaluate, `user-${i}`, 1, { now })).map(({ source, variant }) =>
        source === "holdout" ? variant : null,
      );
    const first = held(prepare());
    expect(first.filter((variant) => variant !== null).length / 2000).toBeCloseTo(0.05, 1);
    expect(held(prepare({ policy: "linucb" }, { model: undefined }), TRAINED + 1e9)).toEqual(first);
    expect(held(prepare({}, { model: { ...model, health: "stopped" } }))).toEqual(first);
    expect(held(prepare({}, { objective: { exploration: 0.5 } }))).toEqual(first);
  });

  test("serves everybody alike until every arm has enough outcomes", () => {
    for (const cold of [undefined, makeBandit({ outcomes: 1400 }), makeBandit({ outcomes: 0 })]) {
      const found = shares(prepare({}, { model: cold, objective: { holdout: 0 } }), { age: 1 });
      for (const name of BANDIT_ARMS) expect(found?.probabilities[name]).toBeCloseTo(1 / 3, 12);
    }
    const warm = shares(prepare({}, { model: makeBandit({ outcomes: 1500 }) }), { age: 1 });
    expect(warm?.probabilities.blue).toBeGreaterThan(0.5);
    const added = shares(prepare({}, { variants: [...BANDIT_ARMS, "red"], objective: { holdout: 0 } }), { age: 1 });
    expect(added?.probabilities.red).toBeCloseTo(0.25, 12);
    const propensity = { ...(model.artifact as Record<string, Json>), target: "propensity", arms: null };
    const other = shares(prepare({}, { model: { ...model, artifact: propensity }, objective: { holdout: 0 } }), {
      age: 1,
    });
    expect(other?.probabilities.blue).toBeCloseTo(1 / 3, 12);
  });

  test("leaves a cold start to the next step where the owner does not want to explore", () => {
    for (const objective of [{ cold_start: "rollout" }, { exploration: "frozen" }, null])
      for (const cold of [undefined, makeBandit({ outcomes: 30 })]) {
        const verdict = decide(prepare({}, { model: cold, objective }), "user-1", 1, { explain: true });
        expect(verdict).toMatchObject({ abstain: "no_model" });
        expect(verdict.detail).toMatch(
          cold === undefined ? "No model is live" : "has 10 outcomes of off, and 500 are wanted",
        );
      }
  });

  test.each([
    [
      "stale_model",
      { model: makeBandit({ changes: { trained_at: new Date(TRAINED - 8 * 86_400_000).toISOString() } }) },
    ],
    ["stale_model", { model: { ...model, artifact: { format: 7 } } }],
    [
      "stale_model",
      { model: { ...model, artifact: { ...(model.artifact as Record<string, Json>), feature_schema: 99 } } },
    ],
    ["drifted_model", { model: { ...model, health: "stopped", health_detail: "PSI 0.4" } as Model }],
  ])("abstains with %s, and leaves all but the holdout to the next step", (cause, changes) => {
    const evaluate = prepare({}, changes);
    expect(decide(evaluate, "user-1", 1)).toMatchObject({ abstain: cause, model_version: "offer@1" });
    const found = shares(evaluate, { age: 1 });
    expect(found?.abstain).toBe(cause);
    expect(found?.probabilities.off).toBeCloseTo(0.05 * (0.5 + 0.5 / 3), 12);
    expect(found?.probabilities.blue).toBeCloseTo((0.05 * 0.5) / 3, 12);
  });

  test("abstains for users it knows nothing of, and for nobody", () => {
    const evaluate = prepare();
    expect(evaluate(ask({ user_id: "user-1" }, { explain: true }))).toMatchObject({
      abstain: "missing_features",
      detail: "The user has no value of age that the model learned from",
    });
    expect(evaluate(ask({ age: 1 }, { explain: true }))).toMatchObject({ detail: "The user has none of user_id" });
    expect(evaluate.distribution?.(ask({ age: 1 }))).toEqual({ probabilities: {}, abstain: "missing_features" });
    expect(decide(prepare({ policy: "thompson-no-context" }), "user-1", Number.NaN)).toHaveProperty("variant");
  });

  test("gives a challenger its share of the users, and says so in every probability", () => {
    const challenger = makeBandit({ learner: "logistic", changes: { version: "offer@2", traffic: 0.25 } });
    const evaluate = prepare({}, { challenger, objective: { holdout: 0 } });
    const verdicts = Array.from({ length: 4000 }, (_, i) => decide(evaluate, `user-${i}`, 1));
    expect(verdicts.filter(({ model_version }) => model_version === "offer@2").length / 4000).toBeCloseTo(0.25, 1);
    const mine = shares(prepare({}, { objective: { holdout: 0 } }), { age: 1 })?.probabilities ?? {};
    const theirs =
      shares(prepare({}, { model: challenger, objective: { holdout: 0 } }), { age: 1 })?.probabilities ?? {};
    for (const { variant, probability } of verdicts)
      expect(probability).toBeCloseTo(0.75 * (mine[variant] as number) + 0.25 * (theirs[variant] as number), 12);
  });

  test("chooses from the arms it was given, in the feature's order", () => {
    const evaluate = prepare({ arms: ["green", "off"] });
    expect(Object.keys(shares(evaluate, { age: 1 })?.probabilities ?? {})).toEqual(["off", "green"]);
    for (let i = 0; i < 200; i++) expect(["off", "green"]).toContain(decide(evaluate, `user-${i}`, 1).variant);
  });

  test("gives all users of a unit the same", () => {
    const evaluate = prepare({ unit: ["org_id", "user_id"], gamma0: 0.5 });
    const served = new Set(
      Array.from(
        { length: 50 },
        (_, i) => (evaluate(ask({ user_id: `u${i}`, org_id: "acme", age: 1 })) as Decide).variant,
      ),
    );
    expect(served.size).toBe(1);
  });

  test("explains each arm's promise, the policy's choice and the draw", () => {
    const verdict = decide(prepare({ policy: "thompson" }), "user-1", 1, { explain: true });
    expect(verdict.detail).toContain("probability of each arm to be the best");
    const evidence = verdict.evidence as {
      arms: { variant: string; outcome: number; chosen: number; probability: number }[];
    };
    expect(evidence).toMatchObject({ policy: "thompson", holdout: false, u: expect.any(Number) });
    expect(evidence.arms.map(({ variant }) => variant)).toEqual(BANDIT_ARMS);
    expect(evidence.arms.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(evidence.arms[1]?.outcome).toBeCloseTo(0.25, 1);
    const held = Array.from({ length: 100 }, (_, i) => decide(prepare(), `user-${i}`, 1, { explain: true })).find(
      ({ source }) => source === "holdout",
    );
    expect(held).toMatchObject({ detail: expect.stringContaining("Held out for ever"), evidence: { holdout: true } });
    expect(held).not.toHaveProperty("model_version");
  });

  test("refuses a config that is out of bounds, and fills the defaults of the rest", () => {
    expect(strategy.config.parse({})).toEqual({
      policy: "squarecb",
      unit: ["user_id"],
      gamma0: 50,
      alpha: 1,
      epsilon: 0,
    });
    for (const wrong of [
      { policy: "ucb" },
      { gamma0: 0 },
      { epsilon: 2 },
      { arms: ["a"] },
      { arms: ["a", "a"] },
      { tau: 1 },
    ])
      expect(strategy.config.safeParse(wrong).success).toBe(false);
  });
});
