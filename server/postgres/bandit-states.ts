import type { Json } from "../../core/json.ts";
import { changeServed } from "./change-served.ts";
import type { Sql, Transaction } from "./sql.ts";

/** Where a bandit's model stands: all outcomes of decisions up to the watermark are in it. */
export interface BanditState {
  readonly environment: string;
  readonly version: string;
  readonly artifact: Json;
  /** Since it was trained. */
  readonly outcomes: number;
  /** Milliseconds since the epoch. */
  readonly watermark: number;
}

/** A live model of the learner ridge, with the state it has come to. */
export interface LiveBandit extends BanditState {
  readonly feature_key: string;
  readonly process: Json;
}

/** Nearly always none: then nothing is locked. The artifact is that of the training until a first outcome was learned. */
export function liveBandits(sql: Sql): Promise<readonly { readonly environment: string; readonly version: string }[]> {
  return sql<{ environment: string; version: string }[]>`
    select environment, version from models
    where learner = 'ridge' and status = 'live' and health <> 'stopped' and feature_key is not null`;
}

/** undefined: another worker is at it, or it is live no more. */
export async function takeBandit(
  tx: Transaction,
  environment: string,
  version: string,
): Promise<LiveBandit | undefined> {
  const [lock] = await tx<[{ taken: boolean }]>`
    select pg_try_advisory_xact_lock(hashtext('bandit'), hashtext(${`${environment}/${version}`})) as taken`;
  if (!lock.taken) return undefined;
  const [row] = await tx<LiveBandit[]>`
    select environment, version, feature_key, process, coalesce(state.artifact, models.artifact) as artifact,
      coalesce(outcomes, 0)::float8 as outcomes,
      floor(extract(epoch from coalesce(watermark, (process -> 'exposures' ->> 'last_at')::timestamptz, trained_at)) * 1000)::float8
        as watermark
    from models left join bandit_states as state using (environment, version)
    where environment = ${environment} and version = ${version} and status = 'live'`;
  return row;
}

/** Serves what was learned: every server reloads. */
export async function saveBandit(tx: Transaction, state: BanditState): Promise<void> {
  const { environment, version, artifact, outcomes, watermark } = state;
  await changeServed(tx, environment, async (inner, changed) => {
    await inner`
      insert into bandit_states (environment, version, artifact, outcomes, watermark)
      values (${environment}, ${version}, ${JSON.stringify(artifact)}::text::json, ${outcomes}::bigint,
        ${new Date(watermark).toISOString()}::timestamptz)
      on conflict (environment, version) do update
      set artifact = excluded.artifact, outcomes = excluded.outcomes, watermark = excluded.watermark, updated_at = now()`;
    changed();
  });
}
