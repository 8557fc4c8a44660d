/**
 * Lets the feature's trained model decide. In the mode `uplift` it serves the variant with the best estimated effect over the
 * safe one; in the mode `propensity`, users whose probability of reaching the objective passes the threshold get `variant`,
 * the others `otherwise_variant`. A likely customer is not one whom the feature helps: prefer uplift where there is an objective.
 *
 * Without a model that is fresh, in order, of our feature schema, fed with what it needs and sure enough, it abstains with
 * the cause, and the next step decides. With an objective, some users are held out for ever and some explore
 * (core/policy/assignment.ts).
 *
 *     { "mode": "uplift" }
 *     { "mode": "propensity", "threshold_mode": "fixed", "threshold_value": 0.2 }
 *     { "mode": "propensity", "threshold_mode": "match_rollout", "share": 0.25, "min_confidence": 0.8 }
 */

import { readUnit } from "../../core/bucketing/unit.ts";
import { createAssignment } from "../../core/policy/assignment.ts";
import { rampGroup } from "../../core/rollout/ramp-group.ts";
import type { Abstain, Ask, Decide, Distribution, Evaluator, Host, Strategy, Verdict } from "../../core/strategy.ts";
import type { Choice } from "./choice.ts";
import { armsOf, Config } from "./config.ts";
import { createDecider, type Decider } from "./decider.ts";

export const strategy: Strategy<Config> = {
  id: "ml-model",
  contract: 1,
  summary: "Lets the model trained from the feature's events decide, where it is sure",
  source: "ml",
  config: Config,
  bounded: true,
  profile: true,
  variants: ({ variant, otherwise_variant, arms }) =>
    [variant, otherwise_variant, ...(arms ?? [])].filter((name) => name !== undefined),
  prepare,
};

const UNIT = ["user_id"];

function prepare(config: Config, host: Host): Evaluator {
  const arms = armsOf(config, host);
  const assignment = createAssignment(host.feature.key, arms, host.objective);
  /** The policy that serves one arm for sure, for each arm. */
  const sure = arms.map((_, arm) => arms.map((__, other) => (other === arm ? 1 : 0)));
  const champion = createDecider(config, host, host.model, arms);
  const challenger = host.challenger && createDecider(config, host, host.challenger, arms);
  const share = host.challenger?.traffic ?? 0;
  const isChallengers = rampGroup(host.feature.key);
  const learning = host.objective !== null;

  /** That the arm is served, over all draws and both models: neither has to be asked again. */
  const marginal = (arm: number, first: Choice, second: Choice | null) => {
    const own = assignment.marginal(arm, policyOf(first));
    return second === null ? own : (1 - share) * own + share * assignment.marginal(arm, policyOf(second));
  };
  const policyOf = ({ cause, arm }: Choice) => (cause === null ? (sure[arm] as number[]) : null);

  const evaluate: Evaluator = (ask) => {
    const unit = readUnit(ask.user, UNIT);
    if (learning && unit === undefined) return ask.explain ? { ...NOBODY, detail: "The user has no user_id" } : NOBODY;
    const first = champion.decide(ask);
    const second = challenger === undefined ? null : challenger.decide(ask);
    if (learning && assignment.isHeldOut(unit as string)) {
      const { arm, u } = assignment.holdOut(unit as string);
      return heldOut(arms[arm] as string, marginal(arm, first, second), u, ask);
    }
    const challenged = second !== null && unit !== undefined && isChallengers(unit, share);
    const decider = challenged ? (challenger as Decider) : champion;
    const choice = challenged ? second : first;
    const { cause, score, threshold, confidence } = choice;
    const model_version = decider.version;
    const threshold_mode = threshold === undefined ? undefined : config.threshold_mode;
    // Plain literals and no spread: this is the hot path.
    if (cause !== null) {
      const abstain: Verdict = { abstain: cause, score, threshold, threshold_mode, confidence, model_version };
      return ask.explain ? { ...abstain, ...decider.explain(ask, choice) } : abstain;
    }
    let arm = choice.arm;
    let probability: number | undefined;
    let u = Number.NaN;
    if (learning) {
      const assigned = assignment.draw(unit as string, ask.now, sure[arm] as number[]);
      arm = assigned.arm;
      u = assigned.u;
      probability = marginal(arm, first, second);
    }
    const variant = arms[arm] as string;
    const verdict: Decide = { variant, score, threshold, threshold_mode, confidence, probability, model_version };
    if (!ask.explain) return verdict;
    const told = decider.explain(ask, choice);
    const explored = arm === choice.arm ? "" : `; explored instead: ${variant}`;
    const drawn = learning ? { u: Number.isNaN(u) ? null : u, chosen: arms[choice.arm] as string } : {};
    return { ...verdict, detail: told.detail + explored, evidence: { ...told.evidence, ...drawn } };
  };

  evaluate.distribution = (ask): Distribution => {
    if (learning && readUnit(ask.user, UNIT) === undefined) return { probabilities: {}, ...NOBODY };
    const first = champion.decide(ask);
    const second = challenger === undefined ? null : challenger.decide(ask);
    const probabilities = Object.fromEntries(arms.map((variant, arm) => [variant, marginal(arm, first, second)]));
    return { probabilities, abstain: first.cause ?? second?.cause ?? "no_match" };
  };
  return evaluate;
}

const NOBODY: Abstain = { abstain: "missing_features" };

function heldOut(variant: string, probability: number, u: number, ask: Ask): Decide {
  const verdict: Decide = { variant, source: "holdout", reason: "SPLIT", probability };
  if (!ask.explain) return verdict;
  const detail = "Held out for ever, so that what the models gain can be measured: no model decides for this user";
  return { ...verdict, detail, evidence: { holdout: true, u } };
}
