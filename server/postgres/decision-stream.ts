import type { Pmf } from "../../core/engine/distribution.ts";
import type { FeatureRow } from "../../core/model/feature-row.ts";
import { texts } from "./array-literal.ts";
import type { OutcomeRow } from "./outcome-rows.ts";
import type { Sql } from "./sql.ts";
import { isObserved } from "./uplift-survey.ts";

/** A row of the stream; short names, as there may be millions. A decision when it has features, else an event. */
export type StreamRow =
  | {
      readonly u: string;
      readonly t: number;
      readonly f: FeatureRow;
      /** Variant, its probability, and all of them where they were asked for. */
      readonly v: string;
      readonly p: number;
      readonly d: Pmf | null;
    }
  | OutcomeRow;

/** Which decisions, and which events. Times in milliseconds since the epoch. */
export interface StreamQuestion {
  readonly environment: string;
  readonly feature_key: string;
  /** The numeric outcome's; null: there is none. */
  readonly property: string | null;
  /** Events of these types, of [from, before). */
  readonly types: readonly string[];
  readonly from: number;
  readonly before: number;
  /** Decisions up to then. */
  readonly until: number;
  /** Whether all probabilities are wanted too. */
  readonly probabilities: boolean;
  /** SQL: what else must hold of a decision; and of decisions and events alike. */
  readonly decision: ReturnType<typeof isObserved>;
  readonly both: ReturnType<typeof isObserved>;
}

/**
 * The drawn decisions and the events that may be their outcomes: by user, then by time, decisions first. To be read with a
 * cursor: PostgreSQL sorts on disk.
 */
export function decisionStream(sql: Sql, question: StreamQuestion) {
  const { environment, feature_key, property, types, from, before, until, decision, both } = question;
  const all = question.probabilities ? sql`probabilities` : sql`null::jsonb`;
  // A collation of bytes: any order of users will do, and this one is the quickest.
  return sql<StreamRow[]>`
    select user_id as u, floor(extract(epoch from at) * 1000)::float8 as t, features as f, variant as v, probability as p,
      probabilities as d, event_type as e, floor(extract(epoch from received_at) * 1000)::float8 as r, amount as a, of_feature as o
    from (
      select user_id, at, 0 as kind, features, variant, probability, ${all} as probabilities,
        null as event_type, null::timestamptz as received_at, null::float8 as amount, false as of_feature
      from exposures
      where environment = ${environment} and feature_key = ${feature_key} and at <= ${iso(until)}::timestamptz
        and ${isObserved(sql)} and probability < 1 and ${decision} and ${both}
      union all
      select user_id, "timestamp", 1, null, null, null, null, event_type, received_at,
        case when jsonb_typeof(properties -> ${property}::text) = 'number' then (properties ->> ${property}::text)::float8 end,
        feature_key = ${feature_key}
      from events
      where environment = ${environment} and event_type = any(${texts(types)}::text::text[])
        and "timestamp" >= ${iso(from)}::timestamptz and "timestamp" < ${iso(before)}::timestamptz and ${both}
    ) as happenings
    order by user_id collate "C", at, kind`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
