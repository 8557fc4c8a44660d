import type { Decision, Json, StepTrace } from "./wire.ts";
import { CAUSES, count } from "./words.ts";

/** Why this user got this, in one sentence that goes on after the value. */
export function because(decision: Decision): string {
  const { decision_source, score, threshold, step, bucket, experiment, variant } = decision;
  switch (decision_source) {
    case "feature_not_found":
      return "because there is no feature of that key in this environment.";
    case "feature_disabled":
      return "because the feature is switched off: everybody gets its off variant.";
    case "experiment":
      return `because the experiment “${experiment?.experiment_name}” drew arm ${experiment?.variant} for this user.`;
    case "holdout":
      return "because this user is held out for ever, so that what the models gain can be measured.";
    case "fallback":
      return "because no step decided, and this is the fallback variant.";
    case "rollout":
      return bucket === null
        ? "because the rollout gives it to everybody."
        : `because the rollout’s hash put this user into bucket ${count(bucket)} of 100,000, which belongs to ${variant}.`;
    case "rule":
      return `because ${detailOf(decision) ?? `a rule of the step ${step} matches`}.`;
  }
  if (score !== null && threshold !== null) {
    const side = score >= threshold ? "at or above" : "below";
    return `because the model scored ${score.toFixed(2)}, ${side} its threshold of ${threshold.toFixed(2)}.`;
  }
  return `because the step ${step} decided: ${detailOf(decision) ?? decision_source}.`;
}

/** What should have decided before, and why it could not; undefined when nothing fell back. */
export function fellBack({ fallback }: Decision): string | undefined {
  if (fallback === null) return undefined;
  return `The step ${fallback.from} should have decided before, but ${CAUSES[fallback.cause] ?? fallback.cause}.`;
}

function detailOf({ trace, step }: Decision): string | undefined {
  const detail = trace?.steps.find(({ id }) => id === step)?.detail;
  return detail === undefined ? undefined : detail.charAt(0).toLowerCase() + detail.slice(1);
}

export const OUTCOMES: Readonly<Record<StepTrace["outcome"], string>> = {
  decided: "Decided",
  abstained: "Left it to the next step",
  failed: "Could not decide",
  skipped: "Was not asked",
  unreached: "Was not reached",
};

/** A strategy as people call it. */
export const STRATEGIES: Readonly<Record<string, string>> = {
  "rule-filters": "Rules",
  "hash-bucketing": "Rollout",
  "ml-model": "Model",
  bandit: "Bandit",
};

/** `attribute.age` is `age`, `events.view.count` is how many view events. */
export function columnName(column: string): string {
  const [, event, measure] = /^events\.(.+)\.(\w+)$/.exec(column) ?? [];
  if (event !== undefined) return `${measure?.replaceAll("_", " ")} of “${event}” events`;
  return column.replace(/^attributes?\./, "");
}

export interface Arm {
  readonly variant: string | null;
  readonly weight: number;
  readonly ranges: readonly (readonly [number, number])[] | null;
}

export interface Contribution {
  readonly feature: string;
  readonly value: Json;
  readonly contribution: number;
}

export interface Change {
  readonly feature: string;
  readonly from: Json;
  readonly to: Json;
  readonly change: number;
  readonly would_be: string;
}

/** What the strategies that come with the server leave in `evidence`; of any other, nothing is known. */
export interface Evidence {
  readonly rules?: readonly { id: string; variant: string; result: string; when: StepTrace["when"] }[];
  readonly arms?: readonly Arm[];
  readonly bucket?: number | null;
  readonly probability?: number;
  readonly unit?: readonly string[];
  readonly seed?: string | null;
  readonly mode?: "propensity" | "uplift";
  readonly score?: number;
  readonly threshold?: number;
  readonly confidence?: number;
  readonly population?: readonly number[];
  readonly outcomes?: readonly { variant: string; outcome: number }[];
  readonly safe?: string;
  readonly contributions?: readonly Contribution[];
  readonly contributions_method?: "exact" | "path" | "approximate";
  readonly smallest_change?: Change | null;
}

export function evidenceOf(evidence: Json | undefined): Evidence {
  return typeof evidence === "object" && evidence !== null && !Array.isArray(evidence) ? (evidence as Evidence) : {};
}
