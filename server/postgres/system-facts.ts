import type { Sql } from "./sql.ts";

export interface SystemFacts {
  /** Such as "PostgreSQL 18.1". */
  readonly database: string;
  readonly size_bytes: number;
  /** The newest migration that was applied. */
  readonly migration: string | null;
  /** Background jobs that wait for a worker, are being worked on, and have failed for good. */
  readonly jobs: { readonly waiting: number; readonly running: number; readonly failed: number };
  /** Worker processes that listen for jobs at this moment. */
  readonly workers: number;
}

/** How a worker's connections for the queue introduce themselves. */
export const WORKER_NAME = "adaptive-feature-flags worker";

/** What PostgreSQL says of itself and of the job queue in it. */
export async function readSystemFacts(sql: Sql): Promise<SystemFacts> {
  const [facts] = await sql<
    [{ database: string; size_bytes: number; migration: string | null; queue: boolean; workers: number }]
  >`
    select 'PostgreSQL ' || current_setting('server_version') as database,
      pg_database_size(current_database())::float8 as size_bytes,
      (select max(name) from schema_migrations) as migration,
      to_regclass('graphile_worker.jobs') is not null as queue,
      -- Of its connections a worker keeps one to listen.
      (select count(*)::int from pg_stat_activity
        where datname = current_database() and application_name = ${WORKER_NAME} and query like 'LISTEN%') as workers`;
  const { queue, ...rest } = facts;
  return { ...rest, jobs: queue ? await jobsIn(sql) : { waiting: 0, running: 0, failed: 0 } };
}

async function jobsIn(sql: Sql): Promise<SystemFacts["jobs"]> {
  const [jobs] = await sql<[SystemFacts["jobs"]]>`
    select count(*) filter (where locked_at is null and attempts < max_attempts)::int as waiting,
      count(*) filter (where locked_at is not null)::int as running,
      count(*) filter (where locked_at is null and attempts >= max_attempts)::int as failed
    from graphile_worker.jobs`;
  return { waiting: jobs.waiting, running: jobs.running, failed: jobs.failed };
}
