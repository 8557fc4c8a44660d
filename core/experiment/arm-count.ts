/** Users of an arm, and those of them who did what the experiment measures. */
export interface ArmCount {
  readonly users: number;
  readonly positives: number;
  /** Of the arm's first user, in milliseconds since the epoch. Default: not known. */
  readonly first_at?: number | undefined;
}
