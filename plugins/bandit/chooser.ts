import type { Artifact } from "../../core/model/artifact.ts";
import { calibrator } from "../../core/model/calibration.ts";
import { createPredictor } from "../../core/model/create-predictor.ts";
import type { RidgeModel } from "../../core/model/ridge.ts";
import { ridgePredictor } from "../../core/model/ridge-predictor.ts";
import { createUserColumns } from "../../core/model/user-columns.ts";
import { bestArmProbabilities } from "../../core/policy/best-arm.ts";
import { epsilonGreedy, squareCb } from "../../core/policy/explore.ts";
import { thompsonWeights } from "../../core/policy/thompson-weights.ts";
import type { Ask } from "../../core/strategy.ts";
import type { Config } from "./config.ts";

/** What one policy does with a model that may be used. */
export interface Chooser {
  readonly uses_profile: boolean;
  /** Names of the attributes it looks at. */
  readonly attributes: readonly string[];
  /** In words: how it chooses. */
  readonly detail: string;
  /** Fills in both, by arm of the step. False: nothing is known of this user. */
  choose(ask: Ask, outcomes: Float64Array, probabilities: Float64Array): boolean;
}

/** How a model answers for a step. */
export interface Known {
  /** Where each arm of the step is among the model's. */
  readonly places: readonly number[];
  /** How many rows it was trained from, for those that do not count themselves. */
  readonly rows: number;
  /** True when less is better. */
  readonly decrease: boolean;
}

/** Thompson sampling and upper bounds take a model of the learner ridge. */
export function createChooser(config: Config, artifact: Artifact, known: Known): Chooser {
  if (config.policy === "thompson-no-context") return withoutContext(artifact.model as RidgeModel, known);
  const columns = createUserColumns(artifact.encoding);
  const { x, uses_profile, attributes } = columns;
  const { places } = known;
  const sign = signOf(known);
  const estimate = estimatorOf(artifact);
  const scores = new Float64Array(places.length);
  const { decide, detail } = deciderOf(config, artifact.model, known, x);
  return {
    uses_profile,
    attributes,
    detail,
    choose(ask, outcomes, probabilities) {
      if (columns.read(ask.user, ask.profile, ask.now)) return false;
      for (let arm = 0; arm < places.length; arm++) {
        const outcome = estimate(x, places[arm] as number);
        scores[arm] = sign * outcome;
        outcomes[arm] = Math.min(1, Math.max(0, outcome));
      }
      decide(scores, probabilities);
      return true;
    },
  };
}

function signOf({ decrease }: Known): 1 | -1 {
  return decrease ? -1 : 1;
}

/** Ridge regression is on the scale of outcomes itself, and goes on learning after its calibration: that is left out. */
function estimatorOf({ model, calibration }: Artifact): (x: Float64Array, place: number) => number {
  if (model.learner === "ridge") {
    const { mean } = ridgePredictor(model);
    return (x, place) => mean(x, 0, place);
  }
  const predictor = createPredictor(model);
  const calibrated = calibrator(calibration);
  return (x, place) => calibrated(predictor.raw(x, 0, place));
}

interface Decider {
  /** From scores, the greater the better, to probabilities. May write to the scores. */
  readonly decide: (scores: Float64Array, out: Float64Array) => void;
  readonly detail: string;
}

/** `x` holds the columns of the user who is decided about. */
function deciderOf(config: Config, model: Artifact["model"], known: Known, x: Float64Array): Decider {
  const { policy, gamma0, alpha, epsilon } = config;
  if (policy === "thompson") return thompson(model as RidgeModel, known, x);
  if (policy === "linucb") return upperBound(model as RidgeModel, known, x, alpha);
  if (policy === "epsilon-greedy")
    return {
      detail: `The best arm, but for ${epsilon} of draws`,
      decide: (scores, out) => void epsilonGreedy(scores, epsilon, out),
    };
  const outcomes = outcomesOf(model, known);
  const gamma = gamma0 * Math.sqrt(outcomes);
  return {
    detail: `SquareCB with gamma ${gamma.toFixed(1)}, from ${outcomes} outcomes`,
    decide: (scores, out) => void squareCb(scores, gamma, out),
  };
}

/** Arms of a ridge bandit are independent, so what is known of one is a Gaussian of its own. */
function thompson(model: RidgeModel, { places }: Known, x: Float64Array): Decider {
  const { variance } = ridgePredictor(model);
  const variances = new Float64Array(places.length);
  return {
    detail: "By the probability of each arm to be the best for this user",
    decide(scores, out) {
      for (let arm = 0; arm < places.length; arm++) variances[arm] = variance(x, 0, places[arm] as number);
      bestArmProbabilities(scores, variances, out);
    },
  };
}

function upperBound(model: RidgeModel, { places }: Known, x: Float64Array, alpha: number): Decider {
  const { variance } = ridgePredictor(model);
  return {
    detail: `The arm with the highest upper bound, ${alpha} standard errors above its estimate`,
    decide(scores, out) {
      for (let arm = 0; arm < places.length; arm++)
        (scores[arm] as number) += alpha * Math.sqrt(variance(x, 0, places[arm] as number));
      epsilonGreedy(scores, 0, out);
    },
  };
}

function outcomesOf(model: Artifact["model"], { places, rows }: Known): number {
  if (model.learner !== "ridge") return rows;
  return places.reduce((sum, place) => sum + (model.arms[place]?.n ?? 0), 0);
}

/** One more yes and one more no an arm: an arm without a single yes is not certain never to have one. */
function withoutContext({ arms, columns }: RidgeModel, known: Known): Chooser {
  const sign = signOf(known);
  const samples = known.places.map((place) => {
    const { weight = 0, b = [], sum_squares = 0 } = arms[place] ?? {};
    const sum = sign * ((b[columns] ?? 0) + 1);
    return { type: "mean" as const, n: weight + 2, sum, sumSquares: sum_squares + 1 };
  });
  const { posteriors, weights } = thompsonWeights(samples);
  return {
    uses_profile: false,
    attributes: [],
    detail: "By the probability of each arm to be the best for everybody",
    choose(_, outcomes, probabilities) {
      posteriors.forEach(({ mean }, arm) => {
        outcomes[arm] = sign * mean;
      });
      probabilities.set(weights);
      return true;
    },
  };
}
