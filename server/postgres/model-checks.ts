import type { Json } from "../../core/json.ts";
import type { Model, ModelHealth, StopCause } from "../../core/model/model.ts";
import type { ModelCheck, ModelCheckStore } from "../../core/model/model-check.ts";
import { changeServed } from "./change-served.ts";
import { makeLive } from "./models.ts";
import type { Sql, Transaction } from "./sql.ts";

/** What a check found, and what is to become of the model. */
export interface CheckedModel {
  /** As it was when it was checked. */
  readonly model: Pick<Model, "environment" | "version" | "feature_key" | "status" | "traffic" | "ramped_at">;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly health: ModelHealth;
  readonly detail: string | null;
  /** null unless it is stopped. */
  readonly cause: StopCause | null;
  readonly report: Json;
  /** undefined: it stays as it is. */
  readonly move?: Move | undefined;
}

/**
 * advance: a challenger takes over more users (with all of them it is live). return: a challenger is a mere candidate again,
 * or the live model gives way to `to`, the one before it.
 */
export type Move =
  | { readonly kind: "advance"; readonly traffic: number; readonly reason: string }
  | { readonly kind: "return"; readonly to: string | null; readonly reason: string };

/** graphile-worker's name of the task (workers/tasks/check-models.ts), and of the queue in which one check follows the other. */
export const CHECK_MODELS = "check-models";
/** Who is in the audit log for what checks do. */
const ACTOR = "check-models";

export function modelCheckStore(sql: Sql): ModelCheckStore {
  return {
    async list(environment, version, limit) {
      const rows = await sql<(Omit<ModelCheck, "at"> & { readonly at: Date })[]>`
        select version, at, health, detail, report from model_checks
        where environment = ${environment} and version = ${version} order by at desc, id desc limit ${limit}`;
      return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
    },

    async ask(environment, version, traceparent = null) {
      await sql`
        select graphile_worker.add_job(
          ${CHECK_MODELS},
          json_build_object('environment', ${environment}::text, 'version', ${version}::text, 'traceparent', ${traceparent}::text),
          queue_name => ${CHECK_MODELS}, job_key => ${`check:${environment}:${version}`}, max_attempts => 3)`;
    },
  };
}

/**
 * Stores what was found and moves the model, in one transaction. Servers are told only when what they serve changes. Does
 * nothing (and returns false) when the model was moved by somebody else since it was read.
 */
export function recordCheck(sql: Sql, checked: CheckedModel): Promise<boolean> {
  const { model, at, health, detail, cause, report, move } = checked;
  const { environment, version } = model;
  return changeServed(sql, environment, async (tx, changed) => {
    const [stored] = await tx<Pick<Model, "health" | "health_cause">[]>`
      select health, health_cause from models
      where environment = ${environment} and version = ${version} and status = ${model.status} and traffic = ${model.traffic}
        and date_trunc('milliseconds', ramped_at) is not distinct from ${model.ramped_at}::timestamptz`;
    if (stored === undefined) return false;
    const time = new Date(at).toISOString();
    await tx`
      insert into model_checks (environment, version, at, health, detail, report)
      values (${environment}, ${version}, ${time}::timestamptz, ${health}, ${detail}, ${JSON.stringify(report)}::text::json)`;
    await tx`
      update models set health = ${health}, health_detail = ${detail}, health_cause = ${cause}, checked_at = ${time}::timestamptz
      where environment = ${environment} and version = ${version}`;
    if (stored.health !== health || stored.health_cause !== cause || move !== undefined) changed();
    if (move !== undefined) await make(tx, model, move, time);
    return true;
  });
}

/** What a candidate that is not served would have done. */
export async function recordShadow(sql: Sql, environment: string, version: string, shadow: Json): Promise<void> {
  await sql`
    update models set shadow = ${JSON.stringify(shadow)}::text::json where environment = ${environment} and version = ${version}`;
}

/** The model that decided before this one and may do so again: neither too old nor once found harmful. null: there is none. */
export async function predecessorOf(
  sql: Sql,
  { environment, feature_key, ramped_at }: CheckedModel["model"],
  trainedAfter: number,
): Promise<string | null> {
  const [row] = await sql<{ version: string }[]>`
    select version from models
    where environment = ${environment} and feature_key is not distinct from ${feature_key} and status = 'retired'
      and health <> 'stopped' and ramped_at < ${ramped_at}::timestamptz
      and trained_at > ${new Date(trainedAfter).toISOString()}::timestamptz
    order by ramped_at desc limit 1`;
  return row?.version ?? null;
}

/** The newest candidate of the live model's scope that nobody is served by. */
export async function shadowCandidate(sql: Sql, live: CheckedModel["model"]): Promise<string | null> {
  const { environment, feature_key, version } = live;
  const [row] = await sql<{ version: string }[]>`
    select version from models
    where environment = ${environment} and feature_key is not distinct from ${feature_key}
      and status = 'candidate' and traffic = 0
      and number > (select number from models where environment = ${environment} and version = ${version})
    order by number desc limit 1`;
  return row?.version ?? null;
}

/** Since when the feature has held out the share it holds out now, milliseconds since the epoch. */
export async function heldOutSince(
  sql: Sql,
  environment: string,
  feature: { readonly id: number; readonly holdout: number },
): Promise<number> {
  const [row] = await sql<[{ since: number | null }]>`
    select floor(extract(epoch from min(at)) * 1000)::float8 as since from feature_revisions
    where environment = ${environment} and feature_id = ${feature.id}
      and version > coalesce((
        select max(version) from feature_revisions
        where environment = ${environment} and feature_id = ${feature.id}
          and (definition #>> '{objective,holdout}')::float8 is distinct from ${feature.holdout}::float8), 0)`;
  return row.since ?? 0;
}

async function make(tx: Transaction, model: CheckedModel["model"], move: Move, time: string): Promise<void> {
  const { environment, version } = model;
  if (move.kind === "advance" && move.traffic < 1)
    await tx`
      update models set traffic = ${move.traffic}, ramped_at = ${time}::timestamptz
      where environment = ${environment} and version = ${version}`;
  else if (move.kind === "advance") await makeLive(tx, model);
  else if (move.to !== null) await makeLive(tx, { ...model, version: move.to });
  else
    await tx`
      update models set traffic = 0, ramped_at = null, verdict = ${move.reason} || '. Before: ' || verdict
      where environment = ${environment} and version = ${version} and status = 'candidate'`;
  await tx`
    insert into audit_log (environment, at, actor, action, subject, reason)
    values (${environment}, ${time}::timestamptz, ${ACTOR}, ${`model.${move.kind}`}, ${version}, ${move.reason})`;
}
