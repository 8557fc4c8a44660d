import type { FallbackCause } from "../../core/decision/decision.ts";
import type { Model } from "../../core/model/model.ts";
import { openModel } from "../../core/model/open-model.ts";
import type { Ask, Host } from "../../core/strategy.ts";
import type { Choice, Chooser, Told } from "./choice.ts";
import type { Config } from "./config.ts";
import { propensityChooser } from "./propensity.ts";
import { upliftChooser, whyUnusable } from "./uplift.ts";

/** One model, ready to choose. */
export interface Decider {
  readonly version: string | undefined;
  decide(ask: Ask): Choice;
  /** About the choice just made. */
  explain(ask: Ask, choice: Choice): Told;
}

const WEEK = 7 * 86_400;

/** Everything that keeps a model from deciding is found here, so that both modes fall back for the same reasons. */
export function createDecider(config: Config, host: Host, model: Model | undefined, arms: readonly string[]): Decider {
  const opened = openModel(model);
  if ("cause" in opened) return never(opened.cause, opened.detail, opened.version);
  const { artifact, version, trained } = opened;
  if (artifact.target !== config.mode)
    return never(
      "no_model",
      `Model ${version} was trained for ${artifact.target}, and this step serves by ${config.mode}: train the feature`,
      version,
    );
  const why = config.mode === "uplift" ? whyUnusable(host, artifact, arms) : undefined;
  if (why !== undefined) return never("stale_model", `Model ${version} ${why}: train again`, version);
  const chooser =
    config.mode === "uplift"
      ? upliftChooser(config, host, artifact, arms)
      : propensityChooser(config, host, artifact, arms);
  return usable(chooser, version, trained, config.max_age_seconds ?? host.objective?.max_age_seconds ?? WEEK);
}

function usable(chooser: Chooser, version: string, trained: number, maxAge: number): Decider {
  const stale = trained + maxAge * 1000;
  const choice: Choice = { cause: null, arm: 0, score: undefined, threshold: undefined, confidence: undefined };
  const refuse = (cause: FallbackCause) => {
    choice.cause = cause;
    choice.score = undefined;
    choice.threshold = undefined;
    choice.confidence = undefined;
    return choice;
  };
  return {
    version,
    decide(ask) {
      if (ask.now > stale) return refuse("stale_model");
      if (chooser.uses_profile && ask.profile === undefined) return refuse("missing_features");
      choice.cause = null;
      chooser.choose(ask, choice);
      return choice;
    },
    explain(ask, made) {
      if (made.cause === "stale_model") return told(`Model ${version} is older than ${maxAge} s`);
      if (made.cause === "missing_features" && chooser.uses_profile && ask.profile === undefined)
        return told("The user's events could not be read, and the model needs them");
      return chooser.explain(ask, made);
    },
  };
}

function never(cause: FallbackCause, detail: string, version?: string): Decider {
  const choice: Choice = { cause, arm: 0, score: undefined, threshold: undefined, confidence: undefined };
  return { version, decide: () => choice, explain: () => told(detail) };
}

function told(detail: string): Told {
  return { detail, evidence: {} };
}
