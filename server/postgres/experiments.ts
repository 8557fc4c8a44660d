import type { Experiment, ExperimentArm } from "../../core/experiment/experiment.ts";
import { Conflict, type ExperimentStore } from "../../core/ports.ts";
import type { Sql, Transaction } from "./sql.ts";

/** The table `experiments`, and what `experiment_exposures` and `events` say about them. */
export function experimentStore(sql: Sql): ExperimentStore {
  const columns = sql`
    id, environment, name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, alpha, arms, seed,
    enabled, created_at, ended_at`;

  return {
    async list(environment) {
      const rows = await sql<Row[]>`
        select ${columns} from experiments where environment = ${environment} order by id`;
      return rows.map(toExperiment);
    },

    async get(environment, id) {
      const [row] = await sql<Row[]>`
        select ${columns} from experiments where environment = ${environment} and id = ${id}`;
      return row && toExperiment(row);
    },

    async create(environment, experiment) {
      return refuseSecond(experiment.feature_key, () =>
        sql.begin(async (tx) => {
          await changeConfiguration(tx, environment);
          const [row] = await tx<Row[]>`
            with next as (select nextval(pg_get_serial_sequence('experiments', 'id')) as id)
            insert into experiments (
              id, environment, name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, alpha, arms,
              seed, enabled
            ) overriding system value
            select
              id, ${environment}, ${experiment.name}, ${experiment.feature_key}, ${experiment.primary_metric_event},
              ${experiment.min_samples_per_variant}, ${experiment.min_lift}, ${experiment.alpha},
              ${tx.json(experiment.arms.map((arm) => ({ ...arm })))}, 'experiment-' || id, ${experiment.enabled}
            from next
            returning ${columns}`;
          return toExperiment(row as Row);
        }),
      );
    },

    async setEnabled(environment, id, enabled) {
      return sql.begin(async (tx) => {
        await changeConfiguration(tx, environment);
        const [stored] = await tx<Row[]>`
          select ${columns} from experiments where environment = ${environment} and id = ${id} for update`;
        if (stored === undefined) return undefined;
        if (enabled && stored.ended_at !== null)
          throw new Conflict(
            `Experiment ${id} ended at ${stored.ended_at.toISOString()} and cannot be started again: its users would keep their arms while what they did in between is counted as if it had run. Create a new experiment, which draws new arms`,
          );
        const [row] = await refuseSecond(
          stored.feature_key,
          () => tx<Row[]>`
            update experiments
            set enabled = ${enabled}, ended_at = case when ${enabled} then null else coalesce(ended_at, now()) end
            where environment = ${environment} and id = ${id}
            returning ${columns}`,
        );
        return row && toExperiment(row);
      });
    },

    async counts(environment, id) {
      // Each side is read once and joined by user: a user counts when the last event is not before the first exposure.
      // The first exposure of all bounds the events, so that older partitions are not opened.
      const rows = await sql<{ arm: string; users: number; positives: number }[]>`
        with experiment as (
          select feature_key, primary_metric_event, coalesce(ended_at, 'infinity') as ended_at
          from experiments where environment = ${environment} and id = ${id}
        ), exposed as materialized (
          select user_id, arm, first_at from experiment_exposures
          where experiment_id = (select ${id}::bigint from experiment)
        ), acted as (
          select user_id, max("timestamp") as last_at from events
          where environment = ${environment}
            and feature_key = (select feature_key from experiment)
            and event_type = (select primary_metric_event from experiment)
            and "timestamp" >= (select min(first_at) from exposed)
            and "timestamp" <= (select ended_at from experiment)
          group by user_id
        )
        select arm, count(*) as users, count(*) filter (where last_at >= first_at) as positives
        from exposed left join acted using (user_id)
        group by arm order by arm`;
      return Object.fromEntries(rows.map(({ arm, users, positives }) => [arm, { users, positives }]));
    },
  };
}

interface Row {
  readonly id: number;
  readonly environment: string;
  readonly name: string;
  readonly feature_key: string;
  readonly primary_metric_event: string;
  readonly min_samples_per_variant: number;
  readonly min_lift: number;
  readonly alpha: number;
  readonly arms: readonly ExperimentArm[];
  readonly seed: string;
  readonly enabled: boolean;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

function toExperiment(row: Row): Experiment {
  return { ...row, created_at: row.created_at.toISOString(), ended_at: row.ended_at?.toISOString() ?? null };
}

async function changeConfiguration(tx: Transaction, environment: string): Promise<void> {
  await tx`update environments set revision = revision + 1 where key = ${environment}`;
  await tx`select pg_notify('configuration', ${environment})`;
}

/** The index says that one runs already; only it can say so without a race. */
async function refuseSecond<T>(featureKey: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error && "constraint_name" in error && error.constraint_name === "experiments_one_running")
      throw new Conflict(`An experiment already runs on feature "${featureKey}": stop it before starting another`);
    throw error;
  }
}
