import { clearTimeout, setTimeout } from "node:timers";
import type { Sample } from "../services.ts";
import { openConnections, type Sql } from "./sql.ts";

/** A scrape waits no longer for the database. Milliseconds. */
const PATIENCE = 2_000;
/** Models shown, those that were trained last. */
const MOST_MODELS = 1_000;

/**
 * What only the database knows, for all processes: the queue, the models that decide, the connections. Scrapes that come
 * together share one look. Without an answer `database_up` is 0 and the rest is missing, as nothing is known of it.
 */
export function databaseSamples(sql: Sql): () => Promise<readonly Sample[]> {
  let looking: Promise<readonly Sample[]> | undefined;
  return async () => {
    const { open, most } = openConnections(sql);
    const own = [
      { name: "database_pool_connections", value: open },
      { name: "database_pool_connections_max", value: most },
    ];
    looking ??= look(sql).finally(() => {
      looking = undefined;
    });
    const found = await within(PATIENCE, looking);
    return [...own, { name: "database_up", value: found === undefined ? 0 : 1 }, ...(found ?? [])];
  };
}

async function look(sql: Sql): Promise<readonly Sample[]> {
  const [tasks, trainings, connections, models] = await Promise.all([
    sql<{ task: string; state: string; count: number }[]>`
      select task_identifier as task, count(*)::int as count,
        case when locked_at is not null then 'running' when attempts >= max_attempts then 'given_up' else 'waiting' end as state
      from graphile_worker.jobs group by 1, 3`,
    sql<{ queued: number; running: number }[]>`
      select count(*) filter (where status = 'queued')::int as queued, count(*) filter (where status = 'running')::int as running
      from training_jobs where status in ('queued', 'running')`,
    sql<{ state: string; count: number }[]>`
      select coalesce(state, 'other') as state, count(*)::int as count
      from pg_stat_activity where datname = current_database() group by 1`,
    modelRows(sql),
  ]);
  const training = trainings[0] ?? { queued: 0, running: 0 };
  return [
    ...tasks.map(({ task, state, count }) => ({ name: "queue_jobs", labels: { task, state }, value: count })),
    { name: "training_jobs_open", labels: { status: "queued" }, value: training.queued },
    { name: "training_jobs_open", labels: { status: "running" }, value: training.running },
    ...connections.map(({ state, count }) => ({ name: "database_connections", labels: { state }, value: count })),
    ...models.flatMap(ofModel),
  ];
}

interface ModelRow {
  readonly environment: string;
  readonly feature: string | null;
  readonly status: string;
  readonly age: number;
  readonly traffic: number;
  readonly health: number;
  readonly ece: number | null;
  readonly psi: number | null;
  readonly stated: number | null;
  readonly observed: number | null;
}

/** Models that decide for somebody, with what their last check measured. */
function modelRows(sql: Sql) {
  return sql<ModelRow[]>`
    select models.environment, feature_key as feature, status, traffic,
      extract(epoch from now() - trained_at)::float8 as age,
      array_position(array['fresh', 'warning', 'stopped'], models.health) - 1 as health,
      (metrics ->> 'ece')::float8 as ece,
      (report -> 'psi' -> 0 ->> 'psi')::float8 as psi,
      (report -> 'calibration' ->> 'stated')::float8 as stated,
      (report -> 'calibration' ->> 'observed')::float8 as observed
    from models
    left join lateral (
      select report from model_checks
      where model_checks.environment = models.environment and model_checks.version = models.version
      order by at desc, id desc limit 1) as checked on true
    where traffic > 0
    order by trained_at desc limit ${MOST_MODELS}`;
}

function ofModel({ environment, feature, status, stated, observed, ...model }: ModelRow): readonly Sample[] {
  const labels = { environment, feature: feature ?? "", status };
  const gap = stated === null || observed === null ? null : Math.abs(stated - observed);
  const values = {
    model_age_seconds: model.age,
    model_traffic: model.traffic,
    model_health: model.health,
    model_ece: model.ece,
    model_psi_max: model.psi,
    model_calibration_gap: gap,
  };
  return Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [{ name, labels, value }]));
}

/** undefined: it failed or took longer. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  return Promise.race([work.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
