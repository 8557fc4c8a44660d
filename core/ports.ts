/**
 * What the floors above give to the floors below. Each interface is implemented by one file of server/postgres.
 * `environment` is always the first argument: no row is reachable without saying whose it is.
 */
import type { Exposure } from "./decision/exposure.ts";
import type { Event, EventInput } from "./event/event.ts";
import type { Profile } from "./event/profile.ts";
import type { Experiment } from "./experiment/experiment.ts";
import type { Feature, FeatureDefinition } from "./feature/feature.ts";
import type { Segment } from "./feature/segment.ts";
import type { Json } from "./json.ts";
import type { Learner, Model, ModelState, ModelTarget } from "./model/model.ts";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Everything the engine serves from, read in one transaction. */
export interface Configuration {
  readonly environment: string;
  /** Counts every change of this environment. */
  readonly revision: number;
  readonly features: readonly Feature[];
  readonly segments: readonly Segment[];
  /** Those that decide: live models, and candidates with traffic. */
  readonly models: readonly Model[];
  /** Running experiments only. */
  readonly experiments: readonly Experiment[];
}

export interface ConfigurationStore {
  environments(): Promise<readonly { key: string; revision: number }[]>;
  createEnvironment(key: string): Promise<void>;
  load(environment: string): Promise<Configuration>;
  /**
   * Calls back with the environment after every committed change, and with null when a connection was lost or made
   * again: a change may have been missed, so compare the revisions.
   */
  listen(changed: (environment: string | null) => void): Promise<{ close(): Promise<void> }>;
}

/** Who writes and why; kept with every revision. */
export interface Author {
  readonly actor: string;
  readonly reason?: string | undefined;
}

export interface FeatureStore {
  list(environment: string): Promise<readonly Feature[]>;
  /** By key, or by id when the text is a whole number. */
  get(environment: string, idOrKey: string): Promise<Feature | undefined>;
  /** `check` runs inside the transaction, under the environment's write lock, with all other features and segments. */
  create(environment: string, definition: FeatureDefinition, author: Author, check?: WriteCheck): Promise<Feature>;
  /**
   * As many single creations in one transaction, but leaves out those whose key is taken: resolves to the keys created.
   * Unchecked: nothing that stands alone can make others unsound.
   */
  createMissing(
    environment: string,
    definitions: readonly FeatureDefinition[],
    author: Author,
  ): Promise<readonly string[]>;
  /** Throws StaleVersion when `expected` is given and is not the stored version. */
  update(
    environment: string,
    idOrKey: string,
    change: (stored: Feature) => FeatureDefinition,
    author: Author,
    options?: { expected?: number | undefined; check?: WriteCheck | undefined },
  ): Promise<Feature | undefined>;
  remove(
    environment: string,
    idOrKey: string,
    author: Author,
    options?: { expected?: number | undefined; check?: WriteCheck | undefined },
  ): Promise<boolean>;
  revisions(
    environment: string,
    idOrKey: string,
  ): Promise<
    readonly {
      version: number;
      actor: string;
      reason: string | null;
      at: string;
      definition: FeatureDefinition | null;
    }[]
  >;
}

/** Throws when the configuration, as it would be after the write, is not sound (prerequisite circle, missing segment ...). */
export type WriteCheck = (after: { features: readonly Feature[]; segments: readonly Segment[] }) => void;

export interface SegmentStore {
  list(environment: string): Promise<readonly Segment[]>;
  get(environment: string, key: string): Promise<Segment | undefined>;
  create(
    environment: string,
    segment: Pick<Segment, "key" | "name" | "condition">,
    check?: WriteCheck,
  ): Promise<Segment>;
  update(
    environment: string,
    key: string,
    segment: Pick<Segment, "name" | "condition">,
    options?: { expected?: number | undefined; check?: WriteCheck | undefined },
  ): Promise<Segment | undefined>;
  remove(environment: string, key: string, options?: { check?: WriteCheck | undefined }): Promise<boolean>;
}

export interface EventStore {
  /**
   * Stores valid events and their profile aggregates in one transaction, shared with concurrent callers. Resolves after
   * the commit, in the order given. Throws Overloaded when the bounded queue is full.
   */
  append(environment: string, events: readonly NewEvent[]): Promise<readonly { id: number; duplicate: boolean }[]>;
  list(
    environment: string,
    filter: { user_id?: string | undefined; feature_key?: string | undefined; event_type?: string | undefined },
    page: { limit: number; cursor?: string | undefined },
  ): Promise<{ events: readonly Event[]; next_cursor: string | null }>;
}

export interface NewEvent extends EventInput {
  readonly ab_variant?: string | null;
}

export interface ProfileStore {
  read(environment: string, userId: string): Promise<Profile>;
}

export interface ExposureStore {
  /** Resolves after the commit, to how many were not there yet. Known by id and time, so a failed call may be repeated. */
  append(exposures: readonly Exposure[]): Promise<number>;
}

/** A model as training hands it over: the store numbers it and says what it does. Its artifact says what it predicts. */
export type TrainedVersion = Omit<Model, "version" | "environment" | "status" | "target" | keyof ModelState>;

/**
 * false: a candidate. live: decides from now on, and the former live one is retired. `traffic`: a candidate that takes this
 * share, 0..1, of the live model's users, from any candidate that had some; live at once when no model is.
 */
export type Promotion = false | "live" | { readonly traffic: number };

export interface ModelStore {
  get(environment: string, version: string): Promise<Model | undefined>;
  /** The live model of this scope (null: the global default). */
  live(environment: string, featureKey: string | null): Promise<Model | undefined>;
  /** The candidate that takes over from the live model of this scope, step by step. */
  challenger(environment: string, featureKey: string | null): Promise<Model | undefined>;
  /** Those that are live, one a scope, without anything that may be large. */
  allLive(environment: string): Promise<readonly Pick<Model, "version" | "feature_key" | "health">[]>;
  /** Newest first, without the artifacts, which may be large. Without a scope: of all features. */
  runs(
    environment: string,
    options: { limit: number; feature_key?: string | null | undefined },
  ): Promise<readonly Omit<Model, "artifact">[]>;
  /**
   * Numbers and stores a model, in the same transaction as the job's end, so there is never a half-made model.
   * Notifies when it is promoted. That a candidate takes users from the live model is written to the audit log; so is, of a
   * training somebody asked for, that its model went live.
   */
  save(environment: string, model: TrainedVersion, promote: Promotion, author?: Author): Promise<Model>;
  /**
   * Makes a candidate live, for all of the model's users, and retires the live one. undefined: no such version. Throws
   * Conflict `not_better` for a candidate that was found no better, unless `force`; the audit log then says so.
   */
  promote(
    environment: string,
    version: string,
    author: Author,
    options?: { force?: boolean | undefined },
  ): Promise<Model | undefined>;
  /** Makes an earlier version live again. undefined: no such version. */
  rollback(environment: string, version: string, author: Author): Promise<Model | undefined>;
}

export interface TrainingRequest {
  readonly feature_key: string | null;
  readonly learner: Learner | "auto";
  /** auto: uplift when the feature has a step that decides by it, else propensity. */
  readonly target: ModelTarget | "auto";
  readonly seed: number;
  /** Attribution window; null: the feature's objective, else chosen from the data. */
  readonly window_seconds: number | null;
  /** Positive event types; null: the feature's objective, else the settings'. */
  readonly positive_event_types: readonly string[] | null;
  /** One decision moment for every user instead of one per view; ISO time. */
  readonly cut: string | null;
  /** Who asked, and why: the audit log says so when the model goes live. Absent: the feature's objective wanted it. */
  readonly author?: Author | undefined;
}

/** Who wanted a training: somebody, or the feature's objective, by its schedule, after so many outcomes, or after drift. */
export type TrainingReason = "request" | "schedule" | "volume" | "drift";

export interface TrainingJob {
  readonly job_id: string;
  readonly environment: string;
  readonly request: TrainingRequest;
  readonly reason: TrainingReason;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** 0..1 and what is being done, in words. */
  readonly progress: number;
  readonly stage: string;
  readonly submitted_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** How often a worker began it. */
  readonly attempts: number;
  readonly error: { code: string; message: string } | null;
  /** The contract's answer of POST /train. */
  readonly result: Json | null;
  /** W3C traceparent of the request that asked. */
  readonly traceparent: string | null;
}

export interface TrainingJobStore {
  /** Enqueues in one transaction; a queued or running job of the same scope is shared instead (`shared`: true). Reason: `request`. */
  enqueue(
    environment: string,
    request: TrainingRequest,
    traceparent: string | null,
    reason?: TrainingReason,
  ): Promise<{ job: TrainingJob; shared: boolean }>;
  get(environment: string, jobId: string): Promise<TrainingJob | undefined>;
  /** Newest first. Without a scope: of all features. */
  list(
    environment: string,
    options: { limit: number; feature_key?: string | null | undefined },
  ): Promise<readonly TrainingJob[]>;
  /** Resolves when the job has ended, or with its present state after `timeoutMs`. */
  wait(environment: string, jobId: string, timeoutMs: number, signal?: AbortSignal): Promise<TrainingJob | undefined>;
  /** undefined: no such job. A job that has ended stays as it is. */
  cancel(environment: string, jobId: string): Promise<TrainingJob | undefined>;
}

export interface ExperimentStore {
  list(environment: string): Promise<readonly Experiment[]>;
  get(environment: string, id: number): Promise<Experiment | undefined>;
  /** Throws Conflict when one already runs on the feature. */
  create(
    environment: string,
    experiment: Omit<Experiment, "id" | "environment" | "seed" | "created_at" | "ended_at">,
  ): Promise<Experiment>;
  setEnabled(environment: string, id: number, enabled: boolean): Promise<Experiment | undefined>;
  /**
   * Exposed users and, of them, those with the primary event after their first exposure; per arm name. `first_at`, in
   * milliseconds since the epoch: the first exposure of the arm.
   */
  counts(
    environment: string,
    id: number,
  ): Promise<Readonly<Record<string, { users: number; positives: number; first_at: number }>>>;
}

/** A unique key is taken, or the state forbids it: HTTP 409. */
export class Conflict extends Error {
  override name = "Conflict";
  readonly code: string;
  constructor(message: string, code = "conflict") {
    super(message);
    this.code = code;
  }
}
/** The stored version is not the one the writer saw: HTTP 412. */
export class StaleVersion extends Error {
  override name = "StaleVersion";
  readonly stored: number;
  constructor(stored: number, expected: number) {
    super(`The stored version is ${stored}, not ${expected}: read it again and repeat the change`);
    this.stored = stored;
  }
}
/** The request is well-formed but what it asks for is not sound: HTTP 422. `field` is a JSON pointer into the body. */
export class Invalid extends Error {
  override name = "Invalid";
  readonly code: string;
  readonly field: string | undefined;
  constructor(code: string, message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}
/** A bounded queue is full: HTTP 503 with Retry-After. */
export class Overloaded extends Error {
  override name = "Overloaded";
}
