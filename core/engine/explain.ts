import type { ConditionTrace, StepTrace } from "../decision/decision.ts";
import type { Json } from "../json.ts";
import type { Abstain, Decide, Verdict } from "../strategy.ts";
import type { Answer, Failure } from "./run-step.ts";

/** A step as the trace names it. */
export interface Traced {
  readonly id: string;
  readonly strategy: string;
}

/** What a step that was asked looked at and answered. */
export function traceAnswer(step: Traced, answer: Answer, when: ConditionTrace | undefined): StepTrace {
  const about = { id: step.id, strategy: step.strategy, ...whenOf(when) };
  if ((answer as Failure).failed !== undefined) {
    const { failed, detail } = answer as Failure;
    return { ...about, outcome: "failed", cause: failed, detail };
  }
  const verdict = answer as Verdict;
  const told = { ...detailOf(verdict), ...evidenceOf(verdict) };
  if ((verdict as Decide).variant !== undefined)
    return { ...about, outcome: "decided", variant: (verdict as Decide).variant, ...told };
  const cause = (verdict as Abstain).abstain;
  return { ...about, outcome: cause === "no_match" ? "abstained" : "failed", cause, ...told };
}

export function traceSkipped(step: Traced, when: ConditionTrace | undefined): StepTrace {
  return { id: step.id, strategy: step.strategy, outcome: "skipped", ...whenOf(when) };
}

export function traceUnreached({ id, strategy }: Traced, said: StepTrace | undefined): StepTrace {
  if (said === undefined) return { id, strategy, outcome: "unreached" };
  const { id: _, strategy: __, ...would } = said;
  return { id, strategy, outcome: "unreached", would };
}

/** A copy, because it holds the user's own values; only the answer when they are not JSON. */
function whenOf(when: ConditionTrace | undefined): { when?: ConditionTrace } {
  if (when === undefined) return {};
  try {
    return { when: JSON.parse(JSON.stringify(when)) };
  } catch {
    return { when: { condition: when.condition, result: when.result } };
  }
}

function detailOf({ detail }: Verdict): { detail?: string } {
  return typeof detail === "string" ? { detail } : {};
}

const NUMBERS = [
  "score",
  "threshold",
  "threshold_mode",
  "confidence",
  "probability",
  "model_version",
  "bucket",
] as const;

/** The verdict's own evidence with its figures; copied, and left out when it is not JSON. */
function evidenceOf(verdict: Verdict): { evidence?: Json } {
  const figures = Object.fromEntries(
    NUMBERS.map((name) => [name, verdict[name]]).filter(([, value]) => value !== undefined),
  );
  const { evidence } = verdict;
  const own = typeof evidence === "object" && evidence !== null && !Array.isArray(evidence) ? evidence : { evidence };
  try {
    const copy: Json = JSON.parse(JSON.stringify({ ...figures, ...own }));
    return Object.keys(copy as object).length === 0 ? {} : { evidence: copy };
  } catch {
    return {};
  }
}
