import { describe, expect, test } from "vitest";
import { completeObjective, Objective } from "../../core/feature/objective.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import { train } from "../../core/model/train.ts";
import type { Ask, Decide, Host, Verdict } from "../../core/strategy.ts";
import { strategy } from "../../plugins/ml-model/ml-model.ts";
import { START, trainOptions } from "../core/model/made-up-shop.ts";
import { ARMS, trialDataset, trialExamples } from "../core/model/made-up-trial.ts";
import { makeModel } from "../support/make-model.ts";

const USERS = 200_000;

/** Red helps on mobile and harms elsewhere; blue does nothing. */
function modelOf(version: string, options: Parameters<typeof trialExamples>[0] = {}): Model {
  const trained = train(trialDataset(trialExamples({ users: 6000, ...options })), trainOptions({ target: "uplift" }));
  return makeModel(trained, {
    ...{ version, feature_key: "offer", target: "uplift" },
    trained_at: new Date(START).toISOString(),
  });
}

const model = modelOf("offer@1");

function host(objective: object | null, changes: Partial<Host> = {}): Host {
  return {
    feature: { key: "offer", type: "string", variants: ARMS, off_variant: "off", fallback_variant: "off" },
    objective: completeObjective({ objective: objective && Objective.parse(objective), off_variant: "off" }),
    model,
    challenger: undefined,
    condition: () => {
      throw new Error("Not used");
    },
    ...changes,
  };
}

function prepare(objective: object | null, config: Record<string, Json> = {}, changes: Partial<Host> = {}) {
  return strategy.prepare(strategy.config.parse(config), host(objective, changes));
}

function ask(user: Record<string, Json>, changes: Partial<Ask> = {}): Ask {
  return {
    user: { user_id: "u", ...user },
    now: START,
    explain: false,
    profile: {},
    variantOf: () => undefined,
    ...changes,
  };
}

const MOBILE = { mobile: true, age: 40, plan: "free" };
const DESK = { mobile: false, age: 40, plan: "free" };

describe("ml-model by uplift", () => {
  test("serves the arm that helps, though another segment converts as often", () => {
    const evaluate = prepare(null);
    const verdict = evaluate(ask(MOBILE)) as Decide;
    expect(verdict).toMatchObject({ variant: "red", model_version: "offer@1" });
    expect(verdict.confidence).toBeGreaterThan(0.9);
    expect(verdict.score).toBeCloseTo(0.4, 1);
    expect(verdict.threshold).toBeUndefined();
  });

  test("leaves users to the next step where it is not sure that anything helps or harms", () => {
    // Blue does nothing: neither is it sure to be better than off, nor to be worse.
    expect(prepare(null)(ask(DESK))).toMatchObject({ abstain: "low_confidence", model_version: "offer@1" });
    // Without blue, off is surely the best elsewhere.
    expect(prepare(null, { arms: ["off", "red"] })(ask(DESK))).toMatchObject({ variant: "off" });
  });

  test("turns the signs when the objective is to decrease", () => {
    const evaluate = prepare({ direction: "decrease", holdout: 0, exploration: "frozen" });
    expect(evaluate(ask(DESK))).toMatchObject({ variant: "red" });
  });

  test("wants the effect to exceed the margin", () => {
    const evaluate = prepare({ margin: 0.5, holdout: 0, exploration: "frozen" });
    expect(evaluate(ask(MOBILE))).toMatchObject({ variant: "off" });
  });

  test("does not decide by a model of the other target, or of another safe variant", () => {
    expect(prepare(null, { mode: "propensity" })(ask(MOBILE))).toMatchObject({ abstain: "no_model" });
    expect(prepare({ safe_variant: "blue", holdout: 0 })(ask(MOBILE))).toMatchObject({ abstain: "stale_model" });
  });

  test("does not decide by a stopped model, and says why it was stopped", () => {
    const stopped: Model = { ...model, health: "stopped", health_detail: "age has drifted" };
    const verdict = prepare(null, {}, { model: stopped })(ask(MOBILE, { explain: true })) as Verdict;
    expect(verdict).toMatchObject({ abstain: "drifted_model" });
    expect(verdict.detail).toContain("age has drifted");
  });

  test("explains with outcomes by arm, exact contributions to the effect and the smallest change that changes the answer", () => {
    const verdict = prepare(null, { arms: ["off", "red"] })(ask(MOBILE, { explain: true })) as Decide;
    const evidence = verdict.evidence as Record<string, Json>;
    expect(evidence).toMatchObject({ mode: "uplift", best: "red", safe: "off" });
    expect((evidence.contributions as { feature: string }[])[0]?.feature).toBe("attribute.mobile");
    expect(evidence.smallest_change).toMatchObject({
      feature: "attribute.mobile",
      from: true,
      to: false,
      would_be: "off",
    });
  });

  describe("with an objective", () => {
    const evaluate = prepare({ holdout: 0.05, exploration: 0.1 });
    const decide = (i: number) => evaluate(ask({ ...MOBILE, user_id: `u${i}` })) as Decide;

    test("serves 200,000 users as its distribution says, and each with the probability of the variant served", () => {
      const expected = evaluate.distribution?.(ask(MOBILE)).probabilities ?? {};
      expect(expected.red).toBeCloseTo(0.85 + 0.1 / 3 + 0.05 / 6, 12);
      const counts: Record<string, number> = {};
      for (let i = 0; i < USERS; i++) {
        const { variant, probability } = decide(i);
        counts[variant] = (counts[variant] ?? 0) + 1;
        if (probability !== expected[variant]) expect(probability).toBe(expected[variant]);
      }
      const statistic = Object.entries(expected).reduce(
        (sum, [variant, p]) => sum + ((counts[variant] ?? 0) - USERS * p) ** 2 / (USERS * p),
        0,
      );
      expect(statistic).toBeLessThan(13.8);
    });

    test("holds users out under a source of their own, whatever the model", () => {
      const held = Array.from({ length: 2000 }, (_, i) => i).filter((i) => decide(i).source === "holdout");
      expect(held.length).toBeGreaterThan(60);
      expect(held.length).toBeLessThan(140);
      const without = prepare({ holdout: 0.05, exploration: 0.1 }, {}, { model: undefined });
      for (const i of held)
        expect(without(ask({ ...MOBILE, user_id: `u${i}` }))).toMatchObject({
          variant: decide(i).variant,
          source: "holdout",
        });
      const other = Array.from({ length: 2000 }, (_, i) => i).find((i) => !held.includes(i));
      expect(without(ask({ user_id: `u${other}` }))).toMatchObject({ abstain: "no_model" });
    });

    test("leaves what the model does not decide to the next step, but for the holdout", () => {
      const { probabilities, abstain } = evaluate.distribution?.(ask(DESK)) ?? { probabilities: {} };
      expect(abstain).toBe("low_confidence");
      expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(0.05, 12);
    });

    test("gives a challenger its share of users, and no more", () => {
      // In the challenger's data it is blue that helps.
      const rate = (_: { mobile: boolean }, arm: number) => (arm === 2 ? 0.5 : 0.2);
      const challenger: Model = { ...modelOf("offer@2", { rate }), status: "candidate", traffic: 0.25 };
      const both = prepare({ holdout: 0, exploration: 0.1 }, {}, { challenger });
      let share = 0;
      for (let i = 0; i < 20_000; i++) {
        const verdict = both(ask({ ...MOBILE, user_id: `u${i}` })) as Decide;
        if (verdict.model_version === "offer@2") share += 1 / 20_000;
      }
      expect(share).toBeCloseTo(0.25, 1);
      const { probabilities } = both.distribution?.(ask(MOBILE)) ?? { probabilities: {} };
      expect(probabilities.blue).toBeCloseTo(0.25 * 0.9 + 0.1 / 3, 12);
      expect(probabilities.red).toBeCloseTo(0.75 * 0.9 + 0.1 / 3, 12);
    });
  });
});
