import type { Decision } from "../core/decision/decision.ts";
import type { StoredDecisions } from "../core/decision/stored-decision.ts";
import type { BrokenStep } from "../core/engine/broken-steps.ts";
import type { Snapshot } from "../core/engine/snapshot.ts";
import type { Profile } from "../core/event/profile.ts";
import type { LiftStore } from "../core/experiment/lift-store.ts";
import type { ModelCheckStore } from "../core/model/model-check.ts";
import type { DecisionLog } from "../core/off-policy/decision-log.ts";
import type {
  Clock,
  ConfigurationStore,
  EventStore,
  ExperimentStore,
  ExposureStore,
  FeatureStore,
  ModelStore,
  ProfileStore,
  SegmentStore,
  TrainingJobStore,
} from "../core/ports.ts";
import type { Strategy, User } from "../core/strategy.ts";
import type { Config } from "./config.ts";
import type { LiveDecisions } from "./live-decisions.ts";
import type { SystemFacts } from "./postgres/system-facts.ts";
import type { Usage } from "./usage.ts";

/** What the HTTP routes are given. Built once in container.ts. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly snapshots: Snapshots;
  readonly observer: Observer;
  readonly profiles: ProfileCache;
  /** Its entries change when plugins are read again. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly metrics: Metrics;
  readonly configuration: ConfigurationStore;
  readonly features: FeatureStore;
  readonly segments: SegmentStore;
  readonly events: EventStore;
  readonly exposures: ExposureStore;
  readonly profileStore: ProfileStore;
  readonly models: ModelStore;
  readonly jobs: TrainingJobStore;
  readonly experiments: ExperimentStore;
  readonly decisions: DecisionLog;
  readonly storedDecisions: StoredDecisions;
  readonly usage: Usage;
  readonly live: LiveDecisions;
  /** What PostgreSQL says of itself and of the job queue. */
  systemFacts(): Promise<SystemFacts>;
  readonly lifts: LiftStore;
  readonly checks: ModelCheckStore;
  readonly secrets: Secrets;
}

/** The current snapshot of every environment, kept fresh by notifications (server/snapshots.ts). */
export interface Snapshots {
  /** undefined: no such environment, or none loaded yet. Synchronous: the hot path reads this. */
  get(environment: string): Snapshot | undefined;
  /** True while PostgreSQL cannot be reached: decisions then carry the reason STALE. */
  readonly stale: boolean;
  /** The work's outcome, or a rejection as soon as the database is lost: whoever asks does not wait for it to come back. */
  unlessLost<T>(work: Promise<T>): Promise<T>;
  /** True once every environment has been loaded. */
  readonly ready: boolean;
  /** Reloads one environment at once, so that a writer reads its own write; other servers follow the notification. */
  refresh(environment: string): Promise<void>;
  /** Steps of enabled features, in all environments, that cannot be asked as they were written: a plugin is gone. */
  readonly broken: readonly BrokenStep[];
  /** How often the strategies have changed: the same revision may be decided otherwise. */
  readonly edition: number;
  /** Compiles every environment anew, after the strategies have changed. Until then the last snapshots serve. */
  recompile(): Promise<void>;
  /** Calls the listener after an environment's snapshot was replaced; the answer ends that. Listeners must not throw. */
  onReplaced(listener: (environment: string) => void): () => void;
  close(): Promise<void>;
}

/** Random, made with the database: the same for every process on it (server/postgres/secrets.ts). */
export interface Secrets {
  /** Signs the addresses of event streams. Rejects while the database cannot be reached, unless it was read before. */
  eventStreamKey(): Promise<string>;
}

/** Bounded, in memory; a miss is one primary-key read (server/profile-cache.ts). */
export interface ProfileCache {
  /** The profile when it is cached and young enough; undefined: call `load`. */
  peek(environment: string, userId: string): Profile | undefined;
  /** As it was last read, however long ago: for when the database is away, and no events come in either. */
  last(environment: string, userId: string): Profile | undefined;
  /** undefined when it could not be read within the budget. Never throws. `budget`: milliseconds. Default: the hot path's. */
  load(environment: string, userId: string, budget?: number): Promise<Profile | undefined>;
  /** Called after events were stored, so that this process serves what it acknowledged. */
  forget(environment: string, userIds: Iterable<string>): void;
}

/** Told of every decision; writes span event, counters and the exposure. Never throws, never waits. */
export interface Observer {
  decided(
    decision: Decision,
    about: { environment: string; user: User; profile: Profile | undefined; snapshot: Snapshot; at: number },
  ): Observed;
  /** Exposures waiting to be written, and how many were dropped because the buffer was full. */
  readonly backlog: { readonly waiting: number; readonly dropped: number };
  /** Resolves when everything buffered at the call has been written (or failed). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface Observed {
  /** The decision's id. */
  readonly id: string;
  /** The same object for all decisions of its kind. */
  readonly kind: DecisionKind;
}

/**
 * Decisions of one version of a feature that differ only in their user, score, threshold, confidence, probability and bucket.
 * Those about features that do not exist are of one kind, whatever the key that was asked for.
 */
export interface DecisionKind {
  /** The first of them. */
  readonly like: Decision;
}

/** Counters, gauges and timings behind GET /metrics (server/telemetry/metrics.ts). Names are Prometheus names. */
export interface Metrics {
  /** Adds to a counter found by name and labels. On a hot path keep the series of `counter` instead. */
  count(name: string, labels?: Labels, by?: number): void;
  /** Read when metrics are asked for. Registering the same name and labels again replaces the reader. */
  gauge(name: string, read: () => number, labels?: Labels): void;
  /**
   * Asked for gauges whenever somebody asks for the Prometheus text: what has to be looked up first, and whose series come
   * and go. Their names are no other gauge's. When it rejects, they are missing.
   */
  collect(read: () => Promise<readonly Sample[]>): void;
  /** Milliseconds. The Prometheus text has seconds, and the suffix `_seconds`. */
  timing(name: string, milliseconds: number, labels?: Labels): void;
  /** The series itself: `add` is a plain addition. */
  counter(name: string, labels?: Labels): { add(by: number): void };
  /** The series itself: `record` takes milliseconds and costs one binary search. */
  timer(name: string, labels?: Labels): { record(milliseconds: number): void };
  prometheus(): Promise<string>;
  snapshot(): {
    counters: Record<string, number>;
    gauges: Record<string, number>;
    timings_ms: Record<string, { count: number; mean: number; p50: number; p95: number; p99: number; max: number }>;
  };
}

/** A gauge at this moment. */
export interface Sample {
  readonly name: string;
  readonly labels?: Labels;
  readonly value: number;
}

/** Never a user's id or anything else without a bound: the number of series is limited. */
export type Labels = Readonly<Record<string, string>>;
