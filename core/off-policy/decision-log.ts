import type { CompleteObjective } from "../feature/objective.ts";
import type { LoggedRow } from "./logged-row.ts";

/** Which decisions are asked about. Times in milliseconds since the epoch. */
export interface LoggedQuestion {
  readonly feature_key: string;
  readonly objective: CompleteObjective;
  /** The objective's, or those of the settings. */
  readonly event_types: readonly string[];
  /** Decisions in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Windows that end later have not passed. */
  readonly now: number;
  /** About how many decisions are read: of more, those of a share of the users, chosen by a hash of the user. */
  readonly limit: number;
}

export interface LoggedDecisions {
  /** The objective's, else a third of the time since the first decision, at most a week. */
  readonly window_seconds: number;
  /** Of all users: drawn decisions whose outcome is known, and what was left out. */
  readonly found: {
    readonly drawn: number;
    readonly immature: number;
    readonly certain: number;
    readonly without_propensity: number;
  };
  /** Share of the users whose decisions `rows` has, 0..1. */
  readonly share: number;
  /** In batches, user by user. Of a user's decisions in one epoch the first counts, and at most 20 epochs. */
  readonly rows: AsyncIterable<readonly LoggedRow[]>;
}

/** The stored decisions of features that have an objective, with what became of them. */
export interface DecisionLog {
  /** Throws Invalid `no_outcomes` when none of the objective's events came since the first of the decisions. */
  read(environment: string, question: LoggedQuestion): Promise<LoggedDecisions>;
}
