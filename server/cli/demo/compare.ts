import type { Client } from "../../client/client.ts";
import type { DecisionAnswer } from "../../http/decision-answer.ts";
import type { Subject } from "./story.ts";

const BATCH = 500;

/** What a feature did with a set of users, and how it turned out for them. */
export interface Outcome {
  readonly enabled: number;
  /** Of the enabled. */
  readonly bought: number;
  /** The model's score for each user, where there was a model to ask. */
  readonly scores: readonly (number | null)[];
  readonly sources: ReadonlyMap<string, number>;
  readonly causes: ReadonlyMap<string, number>;
}

/** Asks the server for every subject, as of `at` (ISO) or now. */
export async function compare(
  client: Client,
  feature: string,
  subjects: readonly Subject[],
  at: string | null,
): Promise<Outcome> {
  const sources = new Map<string, number>();
  const causes = new Map<string, number>();
  const scores: (number | null)[] = [];
  let enabled = 0;
  let bought = 0;
  for (let from = 0; from < subjects.length; from += BATCH) {
    const batch = subjects.slice(from, from + BATCH);
    const users = batch.map((subject) => ({ user_id: subject.user_id, ...subject.attributes }));
    const results = await client.evaluateUsers(feature, users, { explain: true, ...(at ? { at } : {}) });
    results.forEach((decision, index) => {
      count(sources, decision.decision_source);
      if (decision.fallback) count(causes, decision.fallback.cause);
      if (decision.enabled) {
        enabled++;
        if (batch[index]?.bought) bought++;
      }
      scores.push(decision.score ?? scoreIn(decision.trace));
    });
  }
  return { enabled, bought, scores, sources, causes };
}

/** The table the demo ends with. */
export function table(subjects: readonly Subject[], plain: Outcome, model: Outcome): string {
  const base = subjects.filter((subject) => subject.bought).length / subjects.length;
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  const rows = [
    [`on ${subjects.length} users never trained on`, "plain rollout", "model"],
    ["share enabled", percent(plain.enabled, subjects.length), percent(model.enabled, subjects.length)],
    ["conversion among the enabled", percent(plain.bought, plain.enabled), percent(model.bought, model.enabled)],
    ["conversion among all", percent(base, 1), percent(base, 1)],
    ["log loss (plain: the base rate)", logLoss(subjects, () => base).toFixed(4), modelLoss(subjects, model)],
  ];
  return rows.map(([name = "", a = "", b = ""]) => `${name.padEnd(36)}${a.padStart(15)}${b.padStart(18)}`).join("\n");
}

/** Over the users the model could score; says so when those are not all. */
function modelLoss(subjects: readonly Subject[], model: Outcome): string {
  const scored = subjects
    .map((subject, index) => ({ subject, score: model.scores[index] ?? null }))
    .filter(({ score }) => score !== null);
  const loss = logLoss(
    scored.map(({ subject }) => subject),
    (index) => scored[index]?.score ?? 0,
  ).toFixed(4);
  return scored.length === subjects.length ? loss : `${loss} (of ${scored.length})`;
}

function logLoss(subjects: readonly Subject[], probability: (index: number) => number): number {
  let sum = 0;
  subjects.forEach((subject, index) => {
    const p = Math.min(1 - 1e-12, Math.max(1e-12, probability(index)));
    sum -= Math.log(subject.bought ? p : 1 - p);
  });
  return sum / subjects.length;
}

/** A model that was not sure still said its score: it is in the trace. */
function scoreIn(trace: DecisionAnswer["trace"]): number | null {
  for (const step of trace?.steps ?? []) {
    const evidence = step.evidence;
    if (evidence && typeof evidence === "object" && "score" in evidence && typeof evidence.score === "number")
      return evidence.score;
  }
  return null;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
