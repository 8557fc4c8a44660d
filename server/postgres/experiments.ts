import { checkArms } from "../../core/experiment/check-arms.ts";
import type { Feature } from "../../core/feature/feature.ts";
import { Conflict, type ExperimentStore } from "../../core/ports.ts";
import { changeServed } from "./change-served.ts";
import { type ExperimentRow, experimentColumns, toExperiment } from "./experiment-rows.ts";
import { type FeatureRow, featureColumns, toFeature } from "./feature-rows.ts";
import type { Sql, Transaction } from "./sql.ts";

/** The table `experiments`, and what `experiment_exposures` and `events` say about them. */
export function experimentStore(sql: Sql): ExperimentStore {
  const columns = experimentColumns(sql);

  return {
    async list(environment) {
      const rows = await sql<ExperimentRow[]>`
        select ${columns} from experiments where environment = ${environment} order by id`;
      return rows.map(toExperiment);
    },

    async get(environment, id) {
      const [row] = await sql<ExperimentRow[]>`
        select ${columns} from experiments where environment = ${environment} and id = ${id}`;
      return row && toExperiment(row);
    },

    create(environment, experiment) {
      const { name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, alpha, enabled } = experiment;
      const arms = experiment.arms.map((arm) => ({ ...arm }));
      const write = changeServed(sql, environment, async (tx, changed) => {
        if (enabled) checkArms(experiment, await readFeature(tx, environment, feature_key));
        const [row] = await tx<ExperimentRow[]>`
          with next as (select nextval(pg_get_serial_sequence('experiments', 'id')) as id)
          insert into experiments (
            id, environment, name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, alpha, arms,
            seed, enabled
          ) overriding system value
          select
            id, ${environment}, ${name}, ${feature_key}, ${primary_metric_event}, ${min_samples_per_variant},
            ${min_lift}, ${alpha}, ${tx.json(arms)}, 'experiment-' || id, ${enabled}
          from next
          returning ${columns}`;
        if (enabled) changed();
        return toExperiment(row as ExperimentRow);
      });
      return write.catch(refuseSecond(feature_key));
    },

    setEnabled(environment, id, enabled) {
      return changeServed(sql, environment, async (tx, changed) => {
        const [stored] = await tx<ExperimentRow[]>`
          select ${columns} from experiments where environment = ${environment} and id = ${id} for update`;
        if (stored === undefined) return undefined;
        if (enabled && stored.ended_at !== null)
          throw new Conflict(
            `Experiment ${id} ended at ${stored.ended_at.toISOString()} and cannot be started again: its users would keep their arms, and what they did in between would count as if it had run. Create a new experiment, which draws new arms`,
          );
        if (enabled) checkArms(stored, await readFeature(tx, environment, stored.feature_key));
        const update = tx<ExperimentRow[]>`
          update experiments
          set enabled = ${enabled}, ended_at = case when ${enabled} then null else coalesce(ended_at, now()) end
          where environment = ${environment} and id = ${id}
          returning ${columns}`;
        const [row] = await update.catch(refuseSecond(stored.feature_key));
        if (stored.enabled !== enabled) changed();
        return row && toExperiment(row);
      });
    },

    async counts(environment, id) {
      // Each side is read once and joined by user: a user counts when the last event is not before the first exposure.
      // The first exposure of all bounds the events, so that older partitions are not opened.
      const rows = await sql<{ arm: string; users: number; positives: number; first_at: Date }[]>`
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
        select arm, count(*) as users, count(*) filter (where last_at >= first_at) as positives, min(first_at) as first_at
        from exposed left join acted using (user_id)
        group by arm order by arm`;
      return Object.fromEntries(
        rows.map(({ arm, users, positives, first_at }) => [arm, { users, positives, first_at: first_at.getTime() }]),
      );
    },
  };
}

/** As it is while the environment's write lock is held: it does not change before the experiment runs. */
async function readFeature(tx: Transaction, environment: string, key: string): Promise<Feature | undefined> {
  const [row] = await tx<FeatureRow[]>`
    select ${featureColumns(tx)} from features where environment = ${environment} and key = ${key}`;
  return row && toFeature(row);
}

/** Only the unique index can say without a race that one runs already. */
function refuseSecond(featureKey: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error && "constraint_name" in error && error.constraint_name === "experiments_one_running")
      throw new Conflict(`An experiment already runs on feature "${featureKey}": stop it before starting another`);
    throw error;
  };
}
