import type { FallbackCause } from "../../core/decision/decision.ts";
import type { StoredDecision, StoredDecisions } from "../../core/decision/stored-decision.ts";
import { type FeatureRow, userOfRow } from "../../core/model/feature-row.ts";
import { texts } from "./array-literal.ts";
import type { Sql } from "./sql.ts";

/** What exposures.ts wrote, to look at. */
export function storedDecisions(sql: Sql): StoredDecisions {
  return {
    async list(environment, { decision_id, feature_key, user_id }, limit) {
      // An id alone walks the primary key from the newest, so it must not walk for ever: three months' partitions at most. A
      // user's are in an index, whatever their age.
      const alone = decision_id !== undefined && feature_key === undefined && user_id === undefined;
      const rows = await sql<Row[]>`
        select decision_id, at, feature_key, feature_version, user_id, variant, enabled, decision_source, reason, step,
          score, threshold, confidence, probability, model_version, fallback_from, fallback_cause, features
        from exposures
        where environment = ${environment}
          ${decision_id === undefined ? sql`` : sql`and decision_id = ${decision_id}`}
          ${alone ? sql`and at > now() - interval '31 days'` : sql``}
          ${feature_key === undefined ? sql`` : sql`and feature_key = ${feature_key}`}
          ${user_id === undefined ? sql`` : sql`and user_id = ${user_id}`}
        order by at desc, decision_id desc
        limit ${decision_id === undefined ? limit : 1}`;
      return rows.map(fromRow);
    },

    async lastServed(environment, featureKeys) {
      if (featureKeys.length === 0) return new Map();
      // One look into the index a feature: `group by` would read every decision there is.
      const rows = await sql<{ feature_key: string; at: Date }[]>`
        select asked.feature_key, last.at
        from unnest(${texts(featureKeys)}::text::text[]) as asked (feature_key)
        cross join lateral (
          select at from exposures
          where environment = ${environment} and feature_key = asked.feature_key
          order by at desc limit 1) as last`;
      return new Map(rows.map(({ feature_key, at }) => [feature_key, at.toISOString()]));
    },
  };
}

interface Row extends Omit<StoredDecision, "at" | "fallback" | "attributes"> {
  readonly at: Date;
  readonly fallback_from: string | null;
  readonly fallback_cause: FallbackCause | null;
  readonly features: FeatureRow | null;
}

function fromRow({ at, fallback_from, fallback_cause, features, ...row }: Row): StoredDecision {
  return {
    ...row,
    at: at.toISOString(),
    fallback: fallback_from === null || fallback_cause === null ? null : { from: fallback_from, cause: fallback_cause },
    attributes: features === null ? null : attributesOf(features),
  };
}

function attributesOf(features: FeatureRow): StoredDecision["attributes"] {
  const { user_id: _, ...attributes } = userOfRow(features, "");
  return attributes;
}
