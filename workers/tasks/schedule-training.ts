import { getLogger } from "@logtape/logtape";
import type { Feature } from "../../core/feature/feature.ts";
import { type CompleteObjective, completeObjective } from "../../core/feature/objective.ts";
import type { Clock, TrainingReason } from "../../core/ports.ts";
import type { Strategy } from "../../core/strategy.ts";
import { featureStore } from "../../server/postgres/features.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import { countMatured, type TrainingHistory, trainingHistory } from "../../server/postgres/training-history.ts";
import { trainingJobStore } from "../../server/postgres/training-jobs.ts";
import { enqueueSpan } from "../../server/telemetry/job-spans.ts";

/** The task's name in the queue. */
export const SCHEDULE_TRAINING = "schedule-training";

export interface ScheduleTrainingPorts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly strategies: ReadonlyMap<string, Strategy>;
}

/** A training that failed would fail again: what it lacked takes time to come. Milliseconds. */
const AFTER_FAILURE = 3_600_000;

/**
 * Enqueues the trainings that objectives ask for by `retrain`: on a schedule, after so many outcomes, or because the live model
 * drifted. One at a time a feature, however many workers look.
 */
export async function scheduleTraining({ sql, clock, strategies }: ScheduleTrainingPorts): Promise<void> {
  const jobs = trainingJobStore(sql);
  const environments = await sql<{ key: string }[]>`select key from environments order by key`;
  for (const { key: environment } of environments)
    for (const feature of await featureStore(sql).list(environment)) {
      const objective = objectiveOf(feature, strategies);
      if (objective === null) continue;
      const reason = await dueFor(sql, feature, objective, clock.now());
      if (reason === null) continue;
      const request = { feature_key: feature.key, ...DEFAULTS };
      const about = {
        "feature_flag.set.id": environment,
        "feature_flag.key": feature.key,
        "adaptive.job.reason": reason,
      };
      const { job, shared } = await enqueueSpan("train-model", about, (traceparent) =>
        jobs.enqueue(environment, request, traceparent, reason),
      );
      if (!shared)
        getLogger(["adaptive", "worker"]).info("Training job {job} of {feature} was enqueued: {reason}", {
          job: job.job_id,
          feature: feature.key,
          reason,
        });
    }
}

/** A training that is left to the feature and its objective. */
const DEFAULTS = {
  learner: "auto",
  target: "auto",
  seed: 1,
  window_seconds: null,
  positive_event_types: null,
  cut: null,
} as const;

/** null: nothing is to be learned for this feature. */
function objectiveOf(feature: Feature, strategies: ReadonlyMap<string, Strategy>): CompleteObjective | null {
  const objective = completeObjective(feature);
  if (objective === null || objective.exploration === "frozen") return null;
  const learns = feature.steps.some(({ strategy, when }) => {
    const found = strategies.get(strategy);
    return when !== false && (found?.learns ?? found?.profile ?? false);
  });
  return learns ? objective : null;
}

/** Why a training is due, the cheapest reason to find out first; null: none is. */
async function dueFor(
  sql: Sql,
  { environment, key }: Feature,
  objective: CompleteObjective,
  now: number,
): Promise<TrainingReason | null> {
  const { every_seconds, after_outcomes, on_drift } = objective.retrain;
  if (every_seconds === undefined && after_outcomes === undefined && !on_drift) return null;
  const history = await trainingHistory(sql, environment, key);
  const every = every_seconds === undefined ? Number.POSITIVE_INFINITY : every_seconds * 1000;
  if (history.open || isTooSoon(history, every_seconds, now)) return null;
  const { trained_at, drift_found_at } = history;
  if (on_drift && drift_found_at !== null && (trained_at ?? 0) < drift_found_at) return "drift";
  if (every_seconds !== undefined && (trained_at ?? 0) + every <= now) return "schedule";
  if (after_outcomes === undefined) return null;
  const wait = (objective.window_seconds ?? history.window_seconds ?? 0) + objective.grace_seconds;
  const since = trained_at === null ? null : trained_at - wait * 1000;
  const matured = await countMatured(sql, environment, key, { since, until: now - wait * 1000, limit: after_outcomes });
  return matured >= after_outcomes ? "volume" : null;
}

/** The last one ended without a model: an hour, or the schedule's own time when that is longer, has to pass. */
function isTooSoon({ failed_at }: TrainingHistory, every_seconds: number | undefined, now: number): boolean {
  return failed_at !== null && failed_at + Math.max(AFTER_FAILURE, (every_seconds ?? 0) * 1000) > now;
}
