import type { z } from "zod";
import type { EventInput } from "../../core/event/event.ts";
import type { FeatureWrite } from "../../core/feature/feature-write.ts";
import type { Json } from "../../core/json.ts";
import type { TrainingJob } from "../../core/ports.ts";
import type { User } from "../../core/strategy.ts";
import type { DecisionAnswer } from "../http/decision-answer.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Bearer token, when the server asks for one. */
  readonly token?: string;
  /** Default: the token's, else `production`. */
  readonly environment?: string;
  /** Author of changes, on a server without authentication. */
  readonly actor?: string;
}

/** A JSON object as it came. */
export type Answer = Readonly<Record<string, Json>>;

/** What POST /train takes. */
export interface TrainOptions {
  readonly feature_key?: string;
  readonly learner?: "auto" | "logistic" | "trees" | "svm" | "ridge";
  readonly target?: "auto" | "propensity" | "uplift";
  readonly seed?: number;
  readonly window_seconds?: number;
  readonly positive_event_types?: readonly string[];
  readonly cut?: string;
}

type Event = z.input<typeof EventInput>;
type Feature = z.input<typeof FeatureWrite>;

/** What was stored of a call to `ingest`. */
export interface Ingested {
  readonly saved_events: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly rejections: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** The server refused. `code` is stable; `message` says what would work. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Client = ReturnType<typeof createClient>;

/**
 * A thin client over fetch. Every method throws ApiError when the server refuses.
 *
 * @example
 * const flags = createClient({ url: "http://127.0.0.1:8000" });
 * const { enabled } = await flags.evaluate("new_checkout", { user_id: "ada" });
 */
export function createClient({ url, token, environment, actor }: ClientOptions) {
  const headers = {
    "Content-Type": "application/json",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(environment === undefined ? {} : { "X-Environment": environment }),
    ...(actor === undefined ? {} : { "X-Actor": actor }),
  };

  async function call<Result>(method: string, path: string, body?: unknown, more?: object): Promise<Result> {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...headers, ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
    return (text === "" ? undefined : JSON.parse(text)) as Result;
  }

  return {
    /** Decides one feature for one user. */
    evaluate: (feature_key: string, user: User, options: { explain?: boolean } = {}) =>
      call<DecisionAnswer>("POST", "/evaluate", { feature_key, user, ...options }),
    /** Decides many features (default: all) for one user. */
    evaluateAll: async (user: User, feature_keys?: readonly string[]) =>
      (await call<{ results: DecisionAnswer[] }>("POST", "/evaluate/batch", { feature_keys, user })).results,
    /** Decides one feature for up to 1,000 users; `at` (ISO) replays it as of that time. */
    evaluateUsers: async (
      feature_key: string,
      users: readonly User[],
      options: { explain?: boolean; at?: string } = {},
    ) =>
      (await call<{ results: DecisionAnswer[] }>("POST", "/evaluate/batch", { feature_key, users, ...options }))
        .results,
    /** Stores what a user did. `timestamp` defaults to now. */
    track: (event: Omit<Event, "timestamp"> & Partial<Pick<Event, "timestamp">>) =>
      call<Answer>("POST", "/events", { timestamp: new Date().toISOString(), ...event }),
    /** Stores 1 to 5,000 events; invalid ones are rejected alone. */
    ingest: (source: string, events: readonly Event[]) => call<Ingested>("POST", "/ingest/events", { source, events }),
    /** Trains and waits, minutes at most. */
    train: (options: TrainOptions = {}) => call<Answer>("POST", "/train", options),
    /** Queues a training job. */
    trainAsync: (options: TrainOptions = {}) => call<Pick<TrainingJob, "job_id">>("POST", "/train/async", options),
    trainingJob: (jobId: string) => call<TrainingJob>("GET", `/train/jobs/${jobId}`),
    cancelTraining: (jobId: string) => call<Answer>("DELETE", `/train/jobs/${jobId}`),
    modelStatus: (featureKey?: string) => call<Answer>("GET", `/model/status${query({ feature_key: featureKey })}`),
    modelRuns: async (limit?: number) => (await call<{ runs: Answer[] }>("GET", `/model/runs${query({ limit })}`)).runs,
    /** What the feature's models add, against the users held out. */
    lift: (feature_key: string) => call<Answer>("GET", `/features/${encodeURIComponent(feature_key)}/lift`),
    /** What another policy would have done, such as `{ always: "on" }` or `{ model_version: "offer@3" }`. */
    replay: (feature_key: string, policy: Answer) =>
      call<Answer>("POST", `/features/${encodeURIComponent(feature_key)}/replay`, { policy }),
    /** Makes a candidate live; `force` overrides the gate, for a reason. */
    promote: (version: string, options: { force?: boolean; reason?: string } = {}) =>
      call<Answer>("POST", `/models/${encodeURIComponent(version)}/promote`, options),
    rollback: (version: string, reason?: string) =>
      call<Answer>("POST", `/models/${encodeURIComponent(version)}/rollback`, { reason }),
    createFeature: (feature: Feature) => call<Answer>("POST", "/features", feature),
    listFeatures: () => call<Answer[]>("GET", "/features"),
    getFeature: (idOrKey: string | number) => call<Answer>("GET", `/features/${encodeURIComponent(idOrKey)}`),
    /** `version`: refuse the write when another came between (ApiError 412). */
    updateFeature: (idOrKey: string | number, feature: Feature, version?: number) =>
      call<Answer>(
        "PUT",
        `/features/${encodeURIComponent(idOrKey)}`,
        feature,
        version === undefined ? {} : { "If-Match": `"${version}"` },
      ),
    deleteFeature: (idOrKey: string | number) => call<void>("DELETE", `/features/${encodeURIComponent(idOrKey)}`),
    createSegment: (segment: { key: string; name: string; condition: Json }) =>
      call<Answer>("POST", "/segments", segment),
    createExperiment: (experiment: Answer) => call<Answer>("POST", "/experiments", experiment),
    experimentResult: (id: number) => call<Answer>("GET", `/experiments/${id}/result`),
    ready: () => call<Answer>("GET", "/health/ready"),
    metrics: () => call<Answer>("GET", "/metrics", undefined, { Accept: "application/json" }),
  };
}

function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function refusal(status: number, text: string): ApiError {
  let detail: unknown;
  try {
    detail = (JSON.parse(text) as { detail?: unknown }).detail;
  } catch {
    detail = undefined; // Something between us and the server answered.
  }
  if (typeof detail === "object" && detail !== null && "code" in detail && "message" in detail)
    return new ApiError(status, String(detail.code), String(detail.message));
  return new ApiError(
    status,
    "error",
    typeof detail === "string" ? detail : `The server answered ${status}: ${text.slice(0, 200)}`,
  );
}
