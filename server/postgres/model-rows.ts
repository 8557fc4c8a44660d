import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import type { Sql, Transaction } from "./sql.ts";

export type ModelRow = Omit<Model, Times> & {
  readonly trained_at: Date;
  readonly ramped_at: Date | null;
  readonly checked_at: Date | null;
};
type Times = "trained_at" | "ramped_at" | "checked_at";

/** Everything but the artifact, which may be large. */
export function modelColumns(sql: Sql | Transaction) {
  return sql`
    version, environment, feature_key, status, learner, target, trained_at, hash, seed, metrics, process, verdict, job_id,
    traffic, ramped_at, health, health_detail, health_cause, checked_at, shadow`;
}

export function toModel<Row extends Pick<ModelRow, Times>>({ trained_at, ramped_at, checked_at, ...row }: Row) {
  return {
    ...row,
    trained_at: trained_at.toISOString(),
    ramped_at: ramped_at?.toISOString() ?? null,
    checked_at: checked_at?.toISOString() ?? null,
  };
}

/** The models that decide. A bandit's state, which every outcome moves, is served instead of what it was trained to. */
export async function selectServedModels(sql: Sql | Transaction, environment: string): Promise<readonly Model[]> {
  const rows = await sql<ModelRow[]>`
    select ${modelColumns(sql)}, artifact from models
    where environment = ${environment} and (status = 'live' or status = 'candidate' and traffic > 0)
    order by feature_key nulls first`;
  const states = await sql<{ version: string; artifact: Json; outcomes: string; updated_at: Date }[]>`
    select version, artifact, outcomes, updated_at from bandit_states where environment = ${environment}`;
  const byVersion = new Map(states.map((state) => [state.version, state]));
  return rows.map((row) => {
    const state = byVersion.get(row.version);
    const model = toModel(row) as Model;
    return state === undefined
      ? model
      : {
          ...model,
          artifact: state.artifact,
          hash: `${model.hash}+${state.outcomes}`,
          // What keeps learning does not grow old.
          trained_at: state.updated_at.toISOString(),
        };
  });
}
