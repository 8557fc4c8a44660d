import { z } from "zod";
import type { FallbackCause } from "../../core/decision/decision.ts";
import type { Artifact } from "../../core/model/artifact.ts";
import type { Model } from "../../core/model/model.ts";
import { openModel } from "../../core/model/open-model.ts";
import type { Ask, Host } from "../../core/strategy.ts";
import { type Chooser, createChooser } from "./chooser.ts";
import type { Config } from "./config.ts";

/** What a policy makes of a user, by arm of the step. One object, written over by the next ask. */
export interface Opinion {
  /** Why it has none; null when it has. */
  cause: FallbackCause | null;
  /** In words: what the arms are chosen by, or what is in the way. */
  detail: string;
  /** The outcome to be expected under each arm, 0..1; NaN where nobody knows. */
  readonly outcomes: Float64Array;
  /** With which each arm is chosen, where it has an opinion. */
  readonly probabilities: Float64Array;
}

/** A policy over one model. */
export interface Policy {
  readonly version: string | undefined;
  ask(ask: Ask): Opinion;
}

// As an objective has them, for a feature without one.
const WEEK = 7 * 86_400;
const ENOUGH = 500;

/** Everything that keeps a model from deciding is found here; what can be told without a user, once. Never throws. */
export function createPolicy(config: Config, host: Host, model: Model | undefined, arms: readonly string[]): Policy {
  const opened = openModel(model);
  if ("cause" in opened) {
    if (opened.cause === "no_model") return coldStart(host, arms, opened.detail, opened.version);
    return constant(arms, { ...opened, probabilities: null });
  }
  const { artifact, version, trained } = opened;
  const { model: fitted, target, arms: learned } = artifact;
  if (target !== "uplift" || learned === null)
    return coldStart(host, arms, `Model ${version} was not trained to compare variants: train the feature`, version);
  if (fitted.learner !== "ridge" && config.policy !== "squarecb" && config.policy !== "epsilon-greedy") {
    const detail = `The policy ${config.policy} needs a model of the learner ridge, ${version} is of ${fitted.learner}: train with it, or use squarecb`;
    return constant(arms, { cause: "no_model", detail, version, probabilities: null });
  }
  const places = arms.map((arm) => learned.indexOf(arm));
  const missing = whoIsMissing(fitted, places, arms, host.objective?.cold_start_per_arm ?? ENOUGH);
  if (missing !== null) return coldStart(host, arms, `Model ${version} ${missing}`, version);
  const maxAge = config.max_age_seconds ?? host.objective?.max_age_seconds ?? WEEK;
  const rows = rowsOf(model?.process);
  const chooser = createChooser(config, artifact, { places, rows, decrease: host.objective?.direction === "decrease" });
  return usable(chooser, arms.length, version, { stale: trained + maxAge * 1000, maxAge });
}

function usable(
  { uses_profile, attributes, detail, choose }: Chooser,
  count: number,
  version: string,
  { stale, maxAge }: { stale: number; maxAge: number },
): Policy {
  const opinion: Opinion = {
    cause: null,
    detail,
    outcomes: new Float64Array(count),
    probabilities: new Float64Array(count),
  };
  const tooOld = `Model ${version} is older than ${maxAge} s`;
  const blank = `The user has no value of ${attributes.join(", ")} that the model learned from`;
  const abstain = (cause: FallbackCause, why: string) => {
    opinion.cause = cause;
    opinion.detail = why;
    opinion.outcomes.fill(Number.NaN);
    opinion.probabilities.fill(Number.NaN);
    return opinion;
  };
  return {
    version,
    ask(ask) {
      if (ask.now > stale) return abstain("stale_model", tooOld);
      if (uses_profile && ask.profile === undefined)
        return abstain("missing_features", "The user's events could not be read, and the model needs them");
      if (!choose(ask, opinion.outcomes, opinion.probabilities)) return abstain("missing_features", blank);
      opinion.cause = null;
      opinion.detail = detail;
      return opinion;
    },
  };
}

/** Everybody alike, where the owner lets us find out; else nobody. */
function coldStart({ objective }: Host, arms: readonly string[], detail: string, version: string | undefined): Policy {
  if (objective === null || objective.cold_start === "rollout" || objective.exploration === "frozen")
    return constant(arms, { cause: "no_model", detail, version, probabilities: null });
  const even = arms.map(() => 1 / arms.length);
  const told = `Everybody alike until enough is known: ${detail}`;
  return constant(arms, { cause: null, detail: told, version, probabilities: even });
}

function constant(
  arms: readonly string[],
  {
    cause,
    detail,
    version,
    probabilities,
  }: {
    cause: FallbackCause | null;
    detail: string;
    version?: string | undefined;
    probabilities: readonly number[] | null;
  },
): Policy {
  const opinion: Opinion = {
    cause,
    detail,
    outcomes: new Float64Array(arms.length).fill(Number.NaN),
    probabilities: Float64Array.from(probabilities ?? arms.map(() => Number.NaN)),
  };
  return { version, ask: () => opinion };
}

/** In words, the first arm of which too little is known; null: none. A model that is no bandit passed a gate of its own. */
function whoIsMissing(
  fitted: Artifact["model"],
  places: readonly number[],
  arms: readonly string[],
  wanted: number,
): string | null {
  for (const [i, place] of places.entries()) {
    const arm = arms[i] as string;
    if (place === -1) return `knows nothing of ${arm}`;
    if (fitted.learner !== "ridge") continue;
    const n = fitted.arms[place]?.n ?? 0;
    if (n < wanted) return `has ${n} outcomes of ${arm}, and ${wanted} are wanted`;
  }
  return null;
}

const Process = z.object({ dataset_profile: z.object({ rows: z.number() }) });

/** How many a model was trained from; 0: it does not say. */
function rowsOf(process: unknown): number {
  const parsed = Process.safeParse(process);
  return parsed.success ? parsed.data.dataset_profile.rows : 0;
}
