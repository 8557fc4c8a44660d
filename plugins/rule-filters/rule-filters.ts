/**
 * Serves a variant to the users a condition describes. Rules are asked in order, the first that matches decides; when
 * none does, the next step is asked.
 *
 *     { "rules": [
 *       { "id": "staff", "when": { "attribute": "/email", "op": "ends_with", "value": "@example.com" }, "variant": "on" },
 *       { "when": { "not": { "attribute": "/app_version", "op": "semver_gte", "value": "2.4.0" } }, "variant": "off" } ] }
 */
import { z } from "zod";
import { Condition, completeCondition } from "../../core/feature/condition.ts";
import type { Json } from "../../core/json.ts";
import type { Abstain, Ask, CompiledCondition, Decide, Host, Strategy, Verdict } from "../../core/strategy.ts";

const Config = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        /** Names the rule in explanations. Default: its place, from 1. */
        id: z.string().min(1).max(50).optional(),
        when: Condition,
        variant: z.string().min(1).max(100),
      }),
    )
    .min(1)
    .max(100),
});
type Config = z.infer<typeof Config>;

export const strategy: Strategy<Config> = {
  id: "rule-filters",
  contract: 1,
  summary: "Serves a variant to the users a condition describes; the first rule that matches decides",
  source: "rule",
  config: Config,
  bounded: true,
  complete: (config, { feature_key }) => ({
    rules: config.rules.map((rule) => ({ ...rule, when: completeCondition(rule.when, `${feature_key}#gate`) })),
  }),
  variants: (config) => config.rules.map(({ variant }) => variant),
  conditions: (config) => config.rules.map(({ when }) => when),
  prepare(config, host) {
    const rules = compileRules(config, host);
    return (ask) => {
      if (ask.explain) return explain(rules, ask);
      for (let at = 0; at < rules.length; at += 1) {
        const rule = rules[at] as Rule;
        if (rule.condition.test(ask)) return rule.verdict;
      }
      return NO_MATCH;
    };
  },
};

interface Rule {
  readonly id: string;
  readonly condition: CompiledCondition;
  readonly verdict: Decide;
}

const NO_MATCH: Abstain = { abstain: "no_match" };

/** Apart, so that the evaluator holds on to the rules alone and not to the host. */
function compileRules(config: Config, host: Host): readonly Rule[] {
  return config.rules.map(({ id, when, variant }, index) => {
    return { id: id ?? String(index + 1), condition: host.condition(when), verdict: { variant } };
  });
}

/** Every rule up to the one that matched, with each condition's answer. */
function explain(rules: readonly Rule[], ask: Ask): Verdict {
  const asked: Json[] = [];
  for (const { id, condition, verdict } of rules) {
    const when = condition.explain(ask);
    asked.push({ id, variant: verdict.variant, result: when.result, when: when as unknown as Json });
    if (when.result === "yes") return { ...verdict, detail: `Rule ${id} matches`, evidence: { rules: asked } };
  }
  return { abstain: "no_match", detail: "No rule matches", evidence: { rules: asked } };
}
