import type { Json } from "../../core/json.ts";
import type { Model, ModelTarget } from "../../core/model/model.ts";
import { type Author, Conflict, type ModelStore, type Promotion, type TrainedVersion } from "../../core/ports.ts";
import { changeServed } from "./change-served.ts";
import { type ModelRow, modelColumns, toModel } from "./model-rows.ts";
import type { Sql, Transaction } from "./sql.ts";

/**
 * Trained models, numbered per scope (a feature, or the environment's global default). Given a transaction, what is written
 * becomes part of it: a job's end and its model are then committed together.
 */
export function modelStore(sql: Sql | Transaction): ModelStore {
  return {
    get: (environment, version) => find(sql, environment, version),

    live: (environment, featureKey) =>
      findWhere(sql, environment, sql`feature_key is not distinct from ${featureKey} and status = 'live'`),

    challenger: (environment, featureKey) =>
      findWhere(
        sql,
        environment,
        sql`feature_key is not distinct from ${featureKey} and status = 'candidate' and traffic > 0`,
      ),

    allLive: (environment) => sql<Pick<Model, "version" | "feature_key" | "health">[]>`
      select version, feature_key, health from models where environment = ${environment} and status = 'live'`,

    async runs(environment, { limit, feature_key }) {
      const ofScope = feature_key === undefined ? sql`` : sql`and feature_key is not distinct from ${feature_key}`;
      const rows = await sql<Omit<ModelRow, "artifact">[]>`
        select ${modelColumns(sql)} from models where environment = ${environment} ${ofScope}
        order by trained_at desc, number desc limit ${limit}`;
      return rows.map(toModel);
    },

    save: (environment, model, promote, author) =>
      changeServed(sql, environment, async (tx, changed) => {
        const before = await ofJob(tx, model.job_id);
        if (before !== undefined) return before;
        const admitted = await admit(tx, environment, model.feature_key, promote);
        const stored = await insert(tx, environment, model, admitted);
        if (admitted !== false) changed();
        const promoted = promotionWords(admitted, model.verdict, author);
        if (promoted !== undefined) await audit(tx, environment, promoted, stored.version);
        return stored;
      }),

    promote: (environment, version, author, { force = false } = {}) =>
      goLive(sql, environment, version, (model) => {
        const refusal = refusalOf(model);
        if (refusal !== null && !force) throw new Conflict(refusal, "not_better");
        return { action: refusal === null ? "model.promote" : "model.promote.forced", ...author };
      }),

    rollback: (environment, version, author) =>
      goLive(sql, environment, version, () => ({ action: "model.rollback", ...author })),
  };
}

/**
 * Gives a version all of the model's users, with a clean bill of health until it is next checked. One that is live stays as
 * it is. `admit` says what to write down about it, or throws.
 */
function goLive(
  sql: Sql | Transaction,
  environment: string,
  version: string,
  admit: (model: Model) => Author & { readonly action: string },
): Promise<Model | undefined> {
  return changeServed(sql, environment, async (tx, changed) => {
    const model = await find(tx, environment, version);
    if (model === undefined || model.status === "live") return model;
    if (model.status === "failed")
      throw new Conflict(`Model ${version} failed while it was trained and cannot decide; choose another version`);
    const { action, actor, reason } = admit(model);
    await makeLive(tx, model);
    await audit(tx, environment, { action, actor, reason }, version);
    changed();
    return await find(tx, environment, version);
  });
}

/** In the place of whoever is live. */
export async function makeLive(
  tx: Transaction,
  { environment, version, feature_key }: Pick<Model, "environment" | "version" | "feature_key">,
): Promise<void> {
  await retireLive(tx, environment, feature_key);
  await tx`
    update models
    set status = 'live', traffic = 1, ramped_at = now(), health = 'fresh', health_detail = null, health_cause = null
    where environment = ${environment} and version = ${version}`;
}

/** null: it may go live. A candidate that is given users has passed the gate; one without has not, and its verdict says why. */
function refusalOf({ version, status, traffic, verdict }: Model): string | null {
  if (status !== "candidate" || traffic > 0) return null;
  return `Model ${version} was not found better than what decides now: ${verdict} Send force: true and a reason to promote it all the same`;
}

function find(sql: Sql | Transaction, environment: string, version: string): Promise<Model | undefined> {
  return findWhere(sql, environment, sql`version = ${version}`);
}

async function findWhere(
  sql: Sql | Transaction,
  environment: string,
  condition: ReturnType<Sql>,
): Promise<Model | undefined> {
  const [row] = await sql<ModelRow[]>`
    select ${modelColumns(sql)}, artifact from models where environment = ${environment} and ${condition}`;
  return row && toModel(row);
}

/** What an earlier run of the same job has stored: a worker that took the job over does no harm. */
async function ofJob(tx: Transaction, jobId: string | null): Promise<Model | undefined> {
  const [row] = await tx<ModelRow[]>`select ${modelColumns(tx)}, artifact from models where job_id = ${jobId}`;
  return row && toModel(row);
}

/** And takes its users back from whoever was taking over from it: that one was never compared with what comes now. */
async function retireLive(tx: Transaction, environment: string, featureKey: string | null): Promise<void> {
  await tx`
    update models set status = case status when 'live' then 'retired' else status end, traffic = 0
    where environment = ${environment} and feature_key is not distinct from ${featureKey}
      and (status = 'live' or status = 'candidate' and traffic > 0)`;
}

/** What becomes of the promotion, as nobody can take over from a model that is not there. Makes room for it. */
async function admit(
  tx: Transaction,
  environment: string,
  featureKey: string | null,
  promote: Promotion,
): Promise<Promotion> {
  if (promote === false) return false;
  const ofScope = tx`environment = ${environment} and feature_key is not distinct from ${featureKey}`;
  const live = await tx`select from models where ${ofScope} and status = 'live'`;
  if (promote === "live" || promote.traffic >= 1 || live.length === 0) {
    await retireLive(tx, environment, featureKey);
    return "live";
  }
  await tx`update models set traffic = 0 where ${ofScope} and status = 'candidate' and traffic > 0`;
  return promote;
}

/** What the audit log says of a training's end; undefined: nothing. */
function promotionWords(
  admitted: Promotion,
  verdict: string,
  author: Author | undefined,
): (Author & { readonly action: string }) | undefined {
  const { actor = "training", reason: why } = author ?? {};
  const because = (found: string) => (why === undefined ? found : `${why}: ${found}`);
  if (typeof admitted === "object")
    return {
      action: "model.challenge",
      actor,
      reason: because(`It takes ${admitted.traffic * 100} % of the live model's users. ${verdict}`),
    };
  return admitted === "live" && author !== undefined
    ? { action: "model.live", actor, reason: because(verdict) }
    : undefined;
}

async function insert(tx: Transaction, environment: string, model: TrainedVersion, promote: Promotion): Promise<Model> {
  const traffic = promote === false ? 0 : promote === "live" ? 1 : promote.traffic;
  // A feature may itself be called "global": it then shares the numbers of the global default.
  const scope = model.feature_key ?? "global";
  const [row] = await tx<ModelRow[]>`
    with next as (
      select coalesce(max(number), 0) + 1 as number from models
      where environment = ${environment} and coalesce(feature_key, 'global') = ${scope}
    )
    insert into models (environment, version, feature_key, number, status, learner, target, trained_at, artifact, hash,
      seed, metrics, process, verdict, job_id, traffic, ramped_at)
    select ${environment}, ${scope}::text || '@' || number, ${model.feature_key}, number,
      ${promote === "live" ? "live" : "candidate"}, ${model.learner}, ${targetOf(model.artifact)},
      ${model.trained_at}::timestamptz,
      ${JSON.stringify(model.artifact)}::text::json, ${model.hash}, ${model.seed}::bigint,
      ${JSON.stringify(model.metrics)}::text::json, ${JSON.stringify(model.process)}::text::json,
      ${model.verdict}, ${model.job_id}::uuid, ${traffic}::float8, ${traffic > 0 ? model.trained_at : null}::timestamptz
    from next
    returning ${modelColumns(tx)}, artifact`;
  return toModel(row as ModelRow);
}

async function audit(
  tx: Transaction,
  environment: string,
  { action, actor, reason }: Author & { readonly action: string },
  version: string,
): Promise<void> {
  await tx`
    insert into audit_log (environment, actor, action, subject, reason)
    values (${environment}, ${actor}, ${action}, ${version}, ${reason ?? null})`;
}

/** Artifacts that do not say so are of the first form, which knew one target only. */
function targetOf(artifact: Json): ModelTarget {
  const says = typeof artifact === "object" && artifact !== null && "target" in artifact ? artifact.target : null;
  return says === "uplift" ? says : "propensity";
}
