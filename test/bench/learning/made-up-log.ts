import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import { openDatabase } from "../../../server/postgres/embedded.ts";
import { featureStore } from "../../../server/postgres/features.ts";
import { migrate } from "../../../server/postgres/migrate.ts";
import { openSql, type Sql } from "../../../server/postgres/sql.ts";
import { STRATEGIES } from "../../support/make-configuration.ts";

export const FEATURE_KEY = "new-checkout";
export const ENVIRONMENT = "production";
/** When it is asked: every window has passed. */
export const NOW = Date.UTC(2026, 5, 30);
export const WINDOW_SECONDS = 86_400;

/** A migrated PostgreSQL of the bench's own, with one feature whose model decides by uplift. Thrown away by `stop`. */
export async function openLog(): Promise<{ url: string; sql: Sql; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "aff-learning-"));
  const database = await openDatabase({ dataDir: directory, settings: { fsync: "off", max_wal_size: "8GB" } });
  await migrate(database.url);
  const sql = openSql(database.url, { max: 2 });
  const write = FeatureWrite.parse({
    key: FEATURE_KEY,
    name: "A new checkout",
    objective: { event_types: ["purchase"], window_seconds: WINDOW_SECONDS },
    steps: [
      { id: "model", strategy: "ml-model", config: {}, on_failure: "next" },
      { id: "rollout", strategy: "hash-bucketing", config: { arms: even() }, on_failure: "next" },
    ],
  });
  await featureStore(sql).create(ENVIRONMENT, toDefinition(write, { strategies: STRATEGIES }), { actor: "bench" });
  return {
    url: database.url,
    sql,
    async stop() {
      await sql.end({ timeout: 5 });
      await database.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * So many decisions, two days apart two of each user, and users coming one after the other over 15 days; drawn evenly, each
 * with the features as served and two events within its window: a view, and a purchase or another view. Users on mobile buy
 * more when they are served "on", the others less. Replaces what was there.
 */
export async function fillLog(sql: Sql, decisions: number): Promise<void> {
  await sql`truncate exposures, events`;
  const users = Math.ceil(decisions / 2);
  const first = new Date(NOW - 20 * 86_400_000).toISOString();
  await sql.begin(async (tx) => {
    await tx`set local max_parallel_workers_per_gather = 0`;
    await tx`select setseed(0.5)`;
    await tx`
      insert into exposures (decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled,
        decision_source, reason, step, probability, probabilities, features)
      select 'd' || i, ${ENVIRONMENT}, ${first}::timestamptz + make_interval(days => 2 * (i / ${users}::int), secs => 1296000 * (u::float8 / ${users}::int) + 3600 * random()),
        ${FEATURE_KEY}, 1, 'u' || u, 'u' || u, case when random() < 0.5 then 'on' else 'off' end, true, 'rollout', 'SPLIT',
        'rollout', 0.5, '{"on": 0.5, "off": 0.5}',
        jsonb_build_object('schema', 1, 'attribute.mobile', hashint4(u) % 2 = 0, 'attribute.age', 18 + abs(hashint4(u + 1)) % 60,
          'attribute.plan', case when abs(hashint4(u + 2)) % 10 < 7 then 'free' else 'pro' end,
          'attribute.country', 'c' || abs(hashint4(u + 3)) % 12, 'attribute.basket', round(exp(3 + 2 * random())::numeric, 2))
        || jsonb_build_object('events.count', n + m, 'events.recency_days', round((10 * random())::numeric, 4),
          'events.tenure_days', round((10 + 90 * random())::numeric, 4), 'events.span_days', round((10 * random())::numeric, 4),
          'events.per_day', round(((n + m) / 30.0)::numeric, 4), 'events.value_sum', 0, 'events.value_mean', 0)
        || jsonb_build_object('events.view.count', n, 'events.view.recency_days', round((10 * random())::numeric, 4),
          'events.view.per_day', round((n / 30.0)::numeric, 4))
      from (select i, i % ${users}::int as u, 1 + floor(20 * random())::int as n, floor(10 * random())::int as m from generate_series(0, ${decisions - 1}::int) as i) as drawn`;
    await tx`
      insert into events (environment, "timestamp", user_id, feature_key, event_type)
      select environment, at + make_interval(secs => 60 + 80000 * random()), user_id, feature_key,
        case when second and random() < 0.15 + 0.05 * (features ->> 'attribute.plan' = 'pro')::int
          + 0.03 * (case when features ->> 'attribute.mobile' = 'true' then 1 else -1 end) * (variant = 'on')::int
        then 'purchase' else 'view' end
      from exposures cross join (values (false), (true)) as twice (second)`;
  });
  await sql`analyze exposures, events`;
}

function even() {
  return [
    { variant: "on", weight: 50 },
    { variant: "off", weight: 50 },
  ];
}
