import type { Model } from "../../core/model/model.ts";
import type { Sql, Transaction } from "./sql.ts";

export type ModelRow = Omit<Model, "trained_at"> & { readonly trained_at: Date };

/** Everything but the artifact, which may be large. */
export function modelColumns(sql: Sql | Transaction) {
  return sql`
    version, environment, feature_key, status, learner, trained_at, hash, seed, metrics, process, verdict, job_id`;
}

export function toModel<Row extends { readonly trained_at: Date }>({ trained_at, ...row }: Row) {
  return { ...row, trained_at: trained_at.toISOString() };
}

export async function selectLiveModels(sql: Sql | Transaction, environment: string): Promise<readonly Model[]> {
  const rows = await sql<ModelRow[]>`
    select ${modelColumns(sql)}, artifact from models
    where environment = ${environment} and status = 'live' order by feature_key nulls first`;
  return rows.map(toModel);
}
