/** A randomised comparison on a feature. While it runs, its split decides for the feature. */
export interface Experiment {
  readonly id: number;
  readonly environment: string;
  readonly name: string;
  readonly feature_key: string;
  readonly primary_metric_event: string;
  /** Exposed users each arm must have before anything is decided. */
  readonly min_samples_per_variant: number;
  /** Smallest difference in rates (absolute, 0.02 = two percentage points) that is worth promoting. */
  readonly min_lift: number;
  /** Share of experiments without any effect that may end in a false alarm, 0.05 unless chosen at the start. */
  readonly alpha: number;
  /** Arms in order. The first (A) is the control. Weights in percent, summing to 100. */
  readonly arms: readonly ExperimentArm[];
  /** Seed of its own split: independent of the feature's rollout and of every other experiment. */
  readonly seed: string;
  /** True while it runs. */
  readonly enabled: boolean;
  readonly created_at: string;
  readonly ended_at: string | null;
}

export interface ExperimentArm {
  /** A, B, C ... */
  readonly name: string;
  /** The feature's variant this arm is served. */
  readonly variant: string;
  readonly weight: number;
}
