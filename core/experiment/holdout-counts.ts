/** One outcome of a group of users. */
export interface GroupOutcome {
  readonly users: number;
  /** Users with any event of it. */
  readonly reached: number;
  /** Over users: of 0 or 1, or of the capped value; and of its squares. */
  readonly sum: number;
  readonly squares: number;
}

/** The same outcome in both groups. */
export interface Groups {
  readonly model: GroupOutcome;
  readonly holdout: GroupOutcome;
}

/** What became of the users of both groups. */
export interface HoldoutCounts {
  readonly objective: Groups;
  /** In the order of the objective's guardrails. */
  readonly guardrails: readonly Groups[];
  readonly immature_users: number;
}
