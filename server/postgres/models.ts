import type { Model } from "../../core/model/model.ts";
import { Conflict, type ModelStore, type TrainedVersion } from "../../core/ports.ts";
import { changeServed } from "./change-served.ts";
import { type ModelRow, modelColumns, toModel } from "./model-rows.ts";
import type { Sql, Transaction } from "./sql.ts";

/**
 * Trained models, numbered per scope (a feature, or the environment's global default). Given a transaction, `save` and
 * `rollback` become part of it: a job's end and its model are then committed together.
 */
export function modelStore(sql: Sql | Transaction): ModelStore {
  return {
    get: (environment, version) => find(sql, environment, version),

    async live(environment, featureKey) {
      const [row] = await sql<ModelRow[]>`
        select ${modelColumns(sql)}, artifact from models
        where environment = ${environment} and feature_key is not distinct from ${featureKey} and status = 'live'`;
      return row && toModel(row);
    },

    async runs(environment, { limit, feature_key }) {
      const ofScope = feature_key === undefined ? sql`` : sql`and feature_key is not distinct from ${feature_key}`;
      const rows = await sql<Omit<ModelRow, "artifact">[]>`
        select ${modelColumns(sql)} from models where environment = ${environment} ${ofScope}
        order by trained_at desc, number desc limit ${limit}`;
      return rows.map(toModel);
    },

    save: (environment, model, promote) =>
      changeServed(sql, environment, async (tx, changed) => {
        const before = await ofJob(tx, model.job_id);
        if (before !== undefined) return before;
        if (promote) {
          await retireLive(tx, environment, model.feature_key);
          changed();
        }
        return insert(tx, environment, model, promote);
      }),

    rollback: (environment, version, author) =>
      changeServed(sql, environment, async (tx, changed) => {
        const model = await find(tx, environment, version);
        if (model === undefined || model.status === "live") return model;
        if (model.status === "failed")
          throw new Conflict(`Model ${version} failed while it was trained and cannot decide; choose another version`);
        await retireLive(tx, environment, model.feature_key);
        await tx`
          update models set status = 'live', traffic = 1, ramped_at = now(), health = 'fresh', health_detail = null
          where environment = ${environment} and version = ${version}`;
        await tx`
          insert into audit_log (environment, actor, action, subject, reason)
          values (${environment}, ${author.actor}, 'model.rollback', ${version}, ${author.reason ?? null})`;
        changed();
        return await find(tx, environment, version);
      }),
  };
}

async function find(sql: Sql | Transaction, environment: string, version: string): Promise<Model | undefined> {
  const [row] = await sql<ModelRow[]>`
    select ${modelColumns(sql)}, artifact from models where environment = ${environment} and version = ${version}`;
  return row && toModel(row);
}

/** What an earlier run of the same job has stored: a worker that took the job over does no harm. */
async function ofJob(tx: Transaction, jobId: string | null): Promise<Model | undefined> {
  const [row] = await tx<ModelRow[]>`select ${modelColumns(tx)}, artifact from models where job_id = ${jobId}`;
  return row && toModel(row);
}

async function retireLive(tx: Transaction, environment: string, featureKey: string | null): Promise<void> {
  await tx`
    update models set status = 'retired', traffic = 0
    where environment = ${environment} and feature_key is not distinct from ${featureKey} and status = 'live'`;
}

async function insert(tx: Transaction, environment: string, model: TrainedVersion, promote: boolean): Promise<Model> {
  // A feature may itself be called "global": it then shares the numbers of the global default.
  const scope = model.feature_key ?? "global";
  const [row] = await tx<ModelRow[]>`
    with next as (
      select coalesce(max(number), 0) + 1 as number from models
      where environment = ${environment} and coalesce(feature_key, 'global') = ${scope}
    )
    insert into models (environment, version, feature_key, number, status, learner, trained_at, artifact, hash, seed,
      metrics, process, verdict, job_id, traffic, ramped_at)
    select ${environment}, ${scope}::text || '@' || number, ${model.feature_key}, number,
      ${promote ? "live" : "candidate"}, ${model.learner}, ${model.trained_at}::timestamptz,
      ${JSON.stringify(model.artifact)}::text::json, ${model.hash}, ${model.seed}::bigint,
      ${JSON.stringify(model.metrics)}::text::json, ${JSON.stringify(model.process)}::text::json,
      ${model.verdict}, ${model.job_id}::uuid, ${promote ? 1 : 0}::float8, ${promote ? model.trained_at : null}::timestamptz
    from next
    returning ${modelColumns(tx)}, artifact`;
  return toModel(row as ModelRow);
}
