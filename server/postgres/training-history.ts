import type { Sql } from "./sql.ts";

/** What became of a feature's trainings. Times in milliseconds since the epoch; null: never. */
export interface TrainingHistory {
  /** One is queued or runs. */
  readonly open: boolean;
  /** When the last one that made a model was asked for. */
  readonly trained_at: number | null;
  /** When the last one ended, if it made none. */
  readonly failed_at: number | null;
  /** Since when the live model is not in order; null: it is, or there is none. */
  readonly drift_found_at: number | null;
  /** Attribution window of the newest model; null: there is none. */
  readonly window_seconds: number | null;
}

export async function trainingHistory(sql: Sql, environment: string, featureKey: string): Promise<TrainingHistory> {
  const [row] = await sql<[TrainingHistory]>`
    with jobs as (
      select status, submitted_at, coalesce(finished_at, submitted_at) as ended_at from training_jobs
      where environment = ${environment} and feature_key = ${featureKey}
    ), live as (
      select version, coalesce(checked_at, ramped_at, trained_at) as looked_at from models
      where environment = ${environment} and feature_key = ${featureKey} and status = 'live' and health <> 'fresh'
    ), last as (
      select status, ended_at from jobs order by submitted_at desc limit 1
    )
    select
      exists (select from jobs where status in ('queued', 'running')) as open,
      ${milliseconds(sql, sql`(select max(submitted_at) from jobs where status = 'succeeded')`)} as trained_at,
      ${milliseconds(sql, sql`(select ended_at from last where status in ('failed', 'cancelled'))`)} as failed_at,
      ${milliseconds(
        sql,
        // The first finding since all was well.
        sql`(select coalesce((
            select min(at) from model_checks found
            where found.environment = ${environment} and found.version = live.version and found.health <> 'fresh'
              and not exists (
                select from model_checks well
                where well.environment = ${environment} and well.version = live.version and well.health = 'fresh'
                  and well.at > found.at)
          ), looked_at) from live)`,
      )} as drift_found_at,
      (select (process -> 'dataset_profile' ->> 'window_seconds')::float8 from models
        where environment = ${environment} and feature_key = ${featureKey}
        order by number desc limit 1) as window_seconds`;
  return row;
}

/**
 * Decisions that were drawn and whose outcome came to be known: those of (since, until], counted up to `limit`. Reads no more
 * of the index than that.
 *
 * @param since milliseconds since the epoch; null: from the beginning
 */
export async function countMatured(
  sql: Sql,
  environment: string,
  featureKey: string,
  { since, until, limit }: { since: number | null; until: number; limit: number },
): Promise<number> {
  const after = since === null ? sql`` : sql`and at > ${new Date(since).toISOString()}::timestamptz`;
  const [row] = await sql<[{ matured: number }]>`
    select count(*)::float8 as matured from (
      select from exposures
      where environment = ${environment} and feature_key = ${featureKey} and probability > 0 and probability < 1
        and probabilities is not null ${after} and at <= ${new Date(until).toISOString()}::timestamptz
      limit ${limit}) as counted`;
  return row.matured;
}

function milliseconds(sql: Sql, time: ReturnType<Sql>) {
  return sql`floor(extract(epoch from ${time}) * 1000)::float8`;
}
