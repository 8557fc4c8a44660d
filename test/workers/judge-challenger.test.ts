import { describe, expect, test } from "vitest";
import { completeObjective, Objective } from "../../core/feature/objective.ts";
import { train } from "../../core/model/train.ts";
import { judgeBy } from "../../workers/judge-challenger.ts";
import { trainOptions } from "../core/model/made-up-shop.ts";
import { ARMS, type TrialOptions, trialDataset, trialExamples } from "../core/model/made-up-trial.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../support/make-configuration.ts";

/** What the gate says of a model trained from these decisions, for a feature that serves all variants alike until then. */
function judged(strategy: "bandit" | "ml-model", learner: "ridge" | "logistic", trial: TrialOptions) {
  const feature = makeFeature({
    key: "offer",
    variants: Object.fromEntries(ARMS.map((arm) => [arm, arm])),
    objective: Objective.parse({ event_types: ["visit"], window_seconds: 3600, cold_start_per_arm: 100 }),
    steps: [
      { id: "learned", strategy, config: {}, on_failure: "next" },
      {
        id: "rollout",
        strategy: "hash-bucketing",
        config: { arms: ARMS.map((variant, i) => ({ variant, weight: [33.334, 33.333, 33.333][i] as number })) },
        on_failure: "next",
      },
    ],
  });
  const objective = completeObjective(feature);
  if (objective === null) throw new Error("The feature has an objective");
  const judge = judgeBy({
    configuration: makeConfiguration({ features: [feature] }),
    strategies: STRATEGIES,
    feature,
    objective,
    champion: null,
  });
  return train(trialDataset(trialExamples(trial)), trainOptions({ target: "uplift", learner, judge }));
}

/** Nothing makes a difference. */
const AA: TrialOptions = { users: 3000, rate: () => 0.2 };

describe("judgeBy()", () => {
  test("keeps a model back that does not beat plain rollout, and promotes one that does", () => {
    const chance = judged("ml-model", "logistic", AA);
    expect(chance.promote).toBe(false);
    expect(chance.verdict).toContain("does not beat plain rollout");
    const better = judged("ml-model", "logistic", { users: 20_000 });
    expect(better.promote).toBe(true);
    expect(better.verdict).toContain("Promoted");
  });

  test("lets a bandit go live that is no better yet, and says so", () => {
    const { promote, verdict } = judged("bandit", "ridge", AA);
    expect(promote).toBe(true);
    expect(verdict).toContain("goes on learning as it decides");
    expect(verdict).not.toContain("Not promoted");
  });
});
