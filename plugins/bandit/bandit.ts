/**
 * Learns from every outcome which variant is best for whom: most users get what seems best for them, and the others what is
 * worth finding out. Its probabilities are exact and stored with every exposure, so that all it does can be learned from.
 *
 * Needs an objective. A share of users is held out for ever and some explore (core/policy/assignment.ts); until enough is known
 * everybody is served alike, or, with `cold_start: "rollout"`, by the next step.
 *
 *     {}
 *     { "policy": "thompson", "arms": ["off", "mens", "womens"] }
 *     { "policy": "squarecb", "gamma0": 20, "unit": ["org_id", "user_id"] }
 */
import { readUnit } from "../../core/bucketing/unit.ts";
import type { FallbackCause } from "../../core/decision/decision.ts";
import type { Json } from "../../core/json.ts";
import { createAssignment } from "../../core/policy/assignment.ts";
import { rampGroup } from "../../core/rollout/ramp-group.ts";
import type { Abstain, Ask, Decide, Distribution, Evaluator, Host, Strategy } from "../../core/strategy.ts";
import { Config } from "./config.ts";
import { createPolicy, type Opinion } from "./policy.ts";

export const strategy: Strategy<Config> = {
  id: "bandit",
  contract: 1,
  summary: "Learns from every outcome which variant is best for whom, and tries the others a little",
  config: Config,
  bounded: true,
  profile: true,
  variants: ({ arms }) => arms ?? [],
  prepare,
};

function prepare(config: Config, host: Host): Evaluator {
  const { feature, objective } = host;
  const arms = feature.variants.filter((name) => config.arms?.includes(name) ?? true);
  const assignment = createAssignment(feature.key, arms, objective);
  const champion = createPolicy(config, host, host.model, arms);
  const challenger = host.challenger === undefined ? null : createPolicy(config, host, host.challenger, arms);
  /** Of the units, the challenger's. */
  const share = host.challenger?.traffic ?? 0;
  const isChallengers = rampGroup(feature.key);

  /** That the arm is served, over all draws and both models. */
  const marginal = (arm: number, first: Opinion, second: Opinion | null) => {
    const own = assignment.marginal(arm, pmfOf(first));
    return second === null ? own : (1 - share) * own + share * assignment.marginal(arm, pmfOf(second));
  };

  const evaluate: Evaluator = (ask) => {
    const unit = readUnit(ask.user, config.unit);
    if (unit === undefined)
      return ask.explain ? { ...NOBODY, detail: `The user has none of ${config.unit.join(", ")}` } : NOBODY;
    const first = champion.ask(ask);
    const second = challenger === null ? null : challenger.ask(ask);
    const challenged = challenger !== null && isChallengers(unit, share);
    const opinion = challenged ? (second as Opinion) : first;
    const { version } = challenged ? challenger : champion;
    const holdout = assignment.isHeldOut(unit);
    if (opinion.cause !== null && !holdout) return abstain(version, opinion, ask);
    const { arm, u } = holdout ? assignment.holdOut(unit) : assignment.draw(unit, ask.now, opinion.probabilities);
    const variant = arms[arm] as string;
    const probability = marginal(arm, first, second);
    const verdict: Decide = holdout
      ? { variant, source: "holdout", reason: "SPLIT", probability }
      : decide(variant, probability, opinion.outcomes[arm] as number, version);
    if (!ask.explain) return verdict;
    const drawn = { policy: config.policy, holdout, u: Number.isNaN(u) ? null : u };
    const evidence = { ...drawn, arms: armsOf(arms, opinion, (i) => marginal(i, first, second)) };
    return { ...verdict, detail: holdout ? HELD_OUT : opinion.detail, evidence };
  };

  evaluate.distribution = (ask): Distribution => {
    if (readUnit(ask.user, config.unit) === undefined) return { probabilities: {}, ...NOBODY };
    const first = champion.ask(ask);
    const second = challenger === null ? null : challenger.ask(ask);
    const probabilities = Object.fromEntries(arms.map((name, arm) => [name, marginal(arm, first, second)]));
    const cause = first.cause ?? second?.cause ?? null;
    return cause === null ? { probabilities } : { probabilities, abstain: cause };
  };
  return evaluate;
}

const NOBODY: Abstain = { abstain: "missing_features" };
const HELD_OUT = "Held out for ever, so that what the models gain can be measured: no model decides for this user";

function pmfOf({ cause, probabilities }: Opinion): Float64Array | null {
  return cause === null ? probabilities : null;
}

function abstain(version: string | undefined, { cause, detail }: Opinion, ask: Ask): Abstain {
  const verdict: Abstain = {
    abstain: cause as FallbackCause,
    ...(version === undefined ? {} : { model_version: version }),
  };
  return ask.explain ? { ...verdict, detail } : verdict;
}

/** Without a score while nothing is known, and without a model where there is none. */
function decide(variant: string, probability: number, score: number, model_version: string | undefined): Decide {
  if (model_version === undefined) return { variant, reason: "SPLIT", probability };
  if (Number.isNaN(score)) return { variant, reason: "SPLIT", probability, model_version };
  return { variant, reason: "SPLIT", probability, score, model_version };
}

/** What each arm promises, how likely the policy makes it, and how likely it is with exploration and holdout. */
function armsOf(
  arms: readonly string[],
  { outcomes, probabilities }: Opinion,
  marginal: (arm: number) => number,
): readonly Json[] {
  const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  return arms.map((variant, arm) => ({
    variant,
    outcome: known(outcomes[arm]),
    chosen: known(probabilities[arm]),
    probability: marginal(arm),
  }));
}
