import type { CompleteObjective } from "../../core/feature/objective.ts";
import type { FeatureRow } from "../../core/model/feature-row.ts";
import { MAX_MOMENTS } from "../../core/model/moments.ts";
import { epochLength } from "../../core/policy/assignment.ts";
import { texts } from "./array-literal.ts";
import { rewardOf } from "./outcome-rows.ts";
import type { Transaction } from "./sql.ts";
import { isObserved } from "./uplift-survey.ts";

/** What became of one drawn decision. */
export interface BanditOutcome {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As served. */
  readonly row: FeatureRow;
  readonly variant: string;
  /** 0..1. */
  readonly reward: number;
  /** 1 of a user's first outcome, 1/2 of the second, and so on: nobody ever weighs more than 3.6 others. */
  readonly weight: number;
}

export interface BanditQuestion {
  readonly feature_key: string;
  readonly objective: CompleteObjective;
  readonly event_types: readonly string[];
  /** Milliseconds. */
  readonly window: number;
  /** Decisions after this, and not after that, milliseconds since the epoch. */
  readonly after: number;
  readonly until: number;
}

/** Decisions to a call; those of the last one's very time come too. */
const MOST = 2000;

/** The next decisions whose outcome is known, the first of each user and epoch, at most a user's first 20, in the order of time. */
export async function readBanditOutcomes(
  tx: Transaction,
  environment: string,
  { feature_key, objective, event_types, window, after, until }: BanditQuestion,
): Promise<readonly BanditOutcome[]> {
  const { value } = objective;
  const types = texts(event_types);
  const epoch = Math.max(epochLength(objective.window_seconds), epochLength(window / 1000)) / 1000;
  const rows = await tx<
    { at: number; row: FeatureRow; variant: string; earlier: number; reached: boolean; amount: number }[]
  >`
    with counted as (
      select exists (
        select from events where environment = ${environment} and feature_key = ${feature_key}
          and event_type = any(${types}::text::text[])) as of_feature
    ), decisions as (
      select user_id, at, features, variant, earlier from exposures as e, lateral (
        select count(distinct floor(extract(epoch from at) / ${epoch}::float8)) as earlier from exposures as known
        where known.environment = e.environment and known.feature_key = e.feature_key and known.user_id = e.user_id
          and known.at < e.at and known.probabilities is not null and known.probability < 1
      ) as before
      where earlier < ${MAX_MOMENTS} and environment = ${environment} and feature_key = ${feature_key} and ${isObserved(tx)} and probability < 1
        and at > ${iso(after)}::timestamptz and at <= ${iso(until)}::timestamptz
        and not exists (
          select from exposures as earlier
          where earlier.environment = e.environment and earlier.feature_key = e.feature_key
            and earlier.user_id = e.user_id and earlier.at < e.at and earlier.probabilities is not null
            and earlier.at >= to_timestamp(floor(extract(epoch from e.at) / ${epoch}::float8) * ${epoch}::float8))
      order by at
      fetch first ${MOST} rows with ties
    )
    select floor(extract(epoch from d.at) * 1000)::float8 as at, d.features as row, d.variant,
      d.earlier::float8 as earlier, o.reached, coalesce(o.amount, 0)::float8 as amount
    from decisions as d cross join counted, lateral (
      select count(*) > 0 as reached,
        sum(case when jsonb_typeof(properties -> ${value?.property ?? ""}::text) = 'number'
          then (properties ->> ${value?.property ?? ""}::text)::float8 end) as amount
      from events
      where environment = ${environment} and user_id = d.user_id and event_type = any(${types}::text::text[])
        and "timestamp" >= d.at and "timestamp" < d.at + ${window / 1000}::float8 * interval '1 second'
        and (not counted.of_feature or feature_key = ${feature_key})
    ) as o
    order by d.at`;
  return rows.map(({ at, row, variant, earlier, reached, amount }) => ({
    at,
    row,
    variant,
    reward: rewardOf(reached, amount, objective),
    weight: 1 / (1 + earlier),
  }));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
