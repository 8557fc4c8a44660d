import type { CompleteObjective } from "../../core/feature/objective.ts";
import type { OutcomeEvent } from "../../core/model/matured-decisions.ts";

/** An event of a stream that has decisions too; short names, as there may be millions. */
export interface OutcomeRow {
  readonly u: string;
  readonly t: number;
  /** Only decisions have features. */
  readonly f: null;
  /** Event type, when it was received, the numeric outcome's property, and whether it has the feature's key. */
  readonly e: string;
  readonly r: number;
  readonly a: number | null;
  readonly o: boolean;
}

/** Event types that count for something. */
export interface CountedTypes {
  readonly types: ReadonlySet<string>;
  /** Only events with the feature's key count. */
  readonly of_feature: boolean;
}

/** What counts for the objective, and for each guardrail. */
export interface CountedOutcomes {
  readonly objective: CountedTypes;
  readonly guardrails: readonly CountedTypes[];
}

export function toOutcomeEvent(row: OutcomeRow, { objective, guardrails }: CountedOutcomes): OutcomeEvent {
  const counts = ({ types, of_feature }: CountedTypes) => types.has(row.e) && (row.o || !of_feature);
  return {
    user_id: row.u,
    at: row.t,
    received_at: row.r,
    objective: counts(objective),
    amount: row.a ?? 0,
    guardrails: guardrails.flatMap((guardrail, i) => (counts(guardrail) ? [i] : [])),
  };
}

/** What a decision was worth, 0..1: whether the objective was reached or, of a numeric one, its capped amount as a share of the cap. */
export function rewardOf(reached: boolean, amount: number, { value }: Pick<CompleteObjective, "value">): number {
  return value === null ? Number(reached) : Math.min(Math.max(amount, 0), value.cap) / value.cap;
}
