import type { FeatureRow } from "./feature-row.ts";
import { evenly, MAX_MOMENTS } from "./moments.ts";

/** A stored decision that was drawn: with a probability between 0 and 1. */
export interface DrawnDecision {
  readonly user_id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As served. */
  readonly row: FeatureRow;
  readonly variant: string;
  readonly probability: number;
}

/** Something a user did that counts for the objective, for guardrails, or both. */
export interface OutcomeEvent {
  readonly user_id: string;
  readonly at: number;
  /** When the server heard of it, milliseconds since the epoch. */
  readonly received_at: number;
  readonly objective: boolean;
  /** What it adds to a numeric outcome. */
  readonly amount: number;
  /** Indices of the guardrails it counts for. */
  readonly guardrails: readonly number[];
}

/** What became of a decision in [at, at + window). */
interface Outcome {
  /** An event of the objective came. */
  readonly reached: boolean;
  /** Sum over the objective's events. */
  readonly amount: number;
  /** 0 or 1, one a guardrail. */
  readonly guardrails: readonly number[];
}

export type MaturedDecision<Decision extends DrawnDecision = DrawnDecision> = Decision & Outcome;

export interface MaturedOptions {
  /** Attribution window and what is waited after it, milliseconds. */
  readonly window: number;
  readonly grace: number;
  /** Of a unit and an epoch of this many milliseconds only the first decision counts. No shorter than the window. */
  readonly epoch: number;
  readonly guardrails: number;
}

export interface MaturedDecisions<Decision extends DrawnDecision = DrawnDecision> {
  /** The next decision. A user's decisions and events come one after another, in the order of time, decisions first. */
  decided(decision: Decision): void;
  happened(event: OutcomeEvent): void;
  /** After the last. */
  finish(): void;
  readonly counts: {
    /** Users with a decision. */
    readonly users: number;
    readonly used: number;
    /** Later ones of the same user and epoch: left out. */
    readonly repeated: number;
    /** Beyond a user's 20, evenly spread: left out. */
    readonly capped: number;
    /** Events that the server heard of only after window and grace had passed. They count all the same. */
    readonly late: number;
    /** Of the decisions that were used, milliseconds since the epoch; NaN without any. */
    readonly first_at: number;
    readonly last_at: number;
  };
}

interface OpenOutcome {
  reached: boolean;
  amount: number;
  readonly guardrails: number[];
}

/**
 * Joins decisions with their outcomes, user by user: calls back with those of finished users. An epoch is no shorter than the
 * window, so windows of different draws overlap by less than one window; a decision at an epoch's end may share events with
 * the next one's.
 *
 * Needs memory for one user's decisions only, and those are at most one an epoch.
 */
export function createMaturedDecisions<Decision extends DrawnDecision>(
  { window, grace, epoch, guardrails }: MaturedOptions,
  emit: (decision: MaturedDecision<Decision>) => void,
): MaturedDecisions<Decision> {
  type Open = Decision & OpenOutcome;
  const counts = { users: 0, used: 0, repeated: 0, capped: 0, late: 0, first_at: Number.NaN, last_at: Number.NaN };
  let user: string | undefined;
  let decisions: Open[] = [];
  /** Decisions before this index have had their window. */
  let open = 0;

  const use = (decision: Open) => {
    counts.used++;
    if (!(decision.at >= counts.first_at)) counts.first_at = decision.at;
    if (!(decision.at <= counts.last_at)) counts.last_at = decision.at;
    emit(decision);
  };
  const finish = () => {
    const kept = evenly(decisions, MAX_MOMENTS);
    counts.capped += decisions.length - kept.length;
    for (const decision of kept) use(decision);
    decisions = [];
    open = 0;
    user = undefined;
  };
  const turnTo = (next: string) => {
    if (next === user) return;
    finish();
    user = next;
  };

  return {
    counts,
    decided(decision) {
      turnTo(decision.user_id);
      const last = decisions.at(-1);
      if (last === undefined) counts.users++;
      else if (Math.floor(last.at / epoch) === Math.floor(decision.at / epoch)) {
        counts.repeated++;
        return;
      }
      decisions.push({ ...decision, reached: false, amount: 0, guardrails: new Array(guardrails).fill(0) });
    },
    happened(event) {
      turnTo(event.user_id);
      let late = false;
      for (let i = open; i < decisions.length; i++) {
        const decision = decisions[i] as Open;
        if (event.at >= decision.at + window) {
          open = i + 1;
          continue;
        }
        if (event.received_at > decision.at + window + grace) late = true;
        if (event.objective) {
          decision.reached = true;
          decision.amount += event.amount;
        }
        for (const guardrail of event.guardrails) decision.guardrails[guardrail] = 1;
      }
      if (late) counts.late++;
    },
    finish,
  };
}
