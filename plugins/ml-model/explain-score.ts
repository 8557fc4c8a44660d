import type { Json } from "../../core/json.ts";
import { smallestChange } from "../../core/model/counterfactual.ts";
import type { Scorer } from "../../core/model/score.ts";

/** Features shown by explain. */
const SHOWN = 20;

/**
 * What the user last scored has in favour and against, and the smallest change of one attribute that would change the answer.
 *
 * @param answer scores the user again and says what would be served
 */
export function explainScore(scorer: Scorer, answer: () => string): Readonly<Record<string, Json>> {
  const { method, base, items } = scorer.contributions(SHOWN);
  const held = new Map(scorer.features.map(({ name }, index) => [name, scorer.values[index] ?? null]));
  const change = smallestChange(scorer, answer);
  return {
    contributions: items.map(({ feature, contribution }) => ({
      feature,
      value: held.get(feature) ?? null,
      contribution,
    })),
    contributions_method: method,
    contributions_base: base,
    smallest_change: change === null ? null : { ...change },
  };
}
