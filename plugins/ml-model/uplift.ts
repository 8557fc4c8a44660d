import type { Artifact } from "../../core/model/artifact.ts";
import { type ArmScores, createScorer } from "../../core/model/score.ts";
import type { Ask, Host } from "../../core/strategy.ts";
import type { Choice, Chooser } from "./choice.ts";
import type { Config } from "./config.ts";
import { explainScore } from "./explain-score.ts";

/**
 * The arm with the best estimated effect over the safe one, where it is sure to be better by the margin; the safe arm where
 * it is as sure that none is.
 */
export function upliftChooser(config: Config, host: Host, artifact: Artifact, arms: readonly string[]): Chooser {
  const learned = artifact.arms ?? [];
  const { direction, margin } = host.objective ?? {};
  const candidates = learned.flatMap((name, arm) => (arm > 0 && arms.includes(name) ? [arm] : []));
  const scorer = createScorer(artifact, { direction, margin, candidates });
  /** Where each of the model's arms is among the step's. */
  const places = learned.map((name) => arms.indexOf(name));
  const wanted = config.min_confidence ?? host.objective?.min_confidence ?? 0.9;

  const choose = ({ user, profile, now }: Ask, choice: Choice): ArmScores => {
    const scores = scorer.scoreArms(user, profile, now);
    choice.threshold = undefined;
    if (scores.blank) {
      choice.cause = "missing_features";
      choice.score = undefined;
      choice.confidence = undefined;
      return scores;
    }
    const better = scores.confidence >= 0.5;
    const arm = better ? scores.best : 0;
    choice.arm = places[arm] as number;
    choice.score = scores.probabilities[arm];
    choice.confidence = better ? scores.confidence : 1 - scores.confidence;
    choice.cause = choice.confidence < wanted ? "low_confidence" : null;
    return scores;
  };
  const own: Choice = { cause: null, arm: 0, score: undefined, threshold: undefined, confidence: undefined };
  const answer = (ask: Ask) => {
    const scores = choose(ask, own);
    return scores.blank ? "" : (arms[own.arm] as string);
  };
  return {
    uses_profile: scorer.uses_profile,
    choose: (ask, choice) => void choose(ask, choice),
    explain(ask, { confidence = Number.NaN }) {
      const { blank, best, probabilities } = choose(ask, own);
      if (blank)
        return {
          detail: `The user has no value of ${scorer.attributes.join(", ")} that the model learned from`,
          evidence: {},
        };
      const outcomes = Array.from(probabilities);
      const effect = (outcomes[best] as number) - (outcomes[0] as number);
      return {
        detail: `${learned[best]} changes the outcome by ${effect.toFixed(4)} against ${learned[0]}, which makes ${arms[own.arm]} right with confidence ${confidence.toFixed(3)} (${wanted} wanted)`,
        evidence: {
          mode: "uplift",
          outcomes: learned.map((variant, arm) => ({ variant, outcome: outcomes[arm] as number })),
          best: learned[best] as string,
          safe: learned[0] as string,
          effect,
          ...explainScore(scorer, () => answer(ask)),
        },
      };
    },
  };
}

/** Why a step cannot serve by this model; undefined when it can. */
export function whyUnusable(host: Host, { arms }: Artifact, served: readonly string[]): string | undefined {
  const safe = host.objective?.safe_variant ?? host.feature.off_variant;
  const [first, ...others] = arms ?? [];
  if (first !== safe) return `was trained with the safe variant ${first}, and now it is ${safe}`;
  if (!served.includes(safe)) return `compares with the safe variant ${safe}, which this step does not serve`;
  if (!others.some((name) => served.includes(name))) return `knows none of the variants this step chooses from`;
  return undefined;
}
