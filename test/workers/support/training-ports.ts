import type { Sql } from "../../../server/postgres/sql.ts";
import type { TrainModelPorts } from "../../../workers/tasks/train-model.ts";
import { trainingPorts as realPorts } from "../../../workers/training-ports.ts";

/** Ports on a real database; each can be replaced. */
export function trainingPorts(
  { url, sql }: { url: string; sql: Sql },
  replaced: Partial<TrainModelPorts> = {},
): TrainModelPorts {
  const settings = {
    POSITIVE_EVENT_TYPES: ["buy"],
    VIEW_EVENT_TYPES: ["view"],
    INTERMEDIATE_POSITIVE_EVENT_TYPES: [],
    TERMINAL_POSITIVE_EVENT_TYPES: ["buy"],
    PLUGINS: [],
  };
  return { ...realPorts({ databaseUrl: url, sql, clock: { now: () => Date.now() }, settings }), ...replaced };
}

/** What `storeVisits` leaves behind, at a window of 60 seconds: the last visit is too recent. */
export const VISITS = { events: 449, rows: 299 } as const;

/** 300 users look, one a minute, and half of them buy: those on the plan "pro" mostly do, the others mostly do not. */
export async function storeVisits(sql: Sql): Promise<void> {
  await sql`
    with visits as (
      select 'u' || i as user_id, timestamptz '2026-01-01' + i * interval '1 minute' as at, i % 2 = 0 as pro, i
      from generate_series(0, 299) as i
    )
    insert into events (environment, "timestamp", user_id, feature_key, event_type, properties)
    select 'production', at, user_id, 'shop', 'view',
      jsonb_build_object('plan', case when pro then 'pro' else 'free' end, 'age', 20 + i % 40)
    from visits
    union all
    select 'production', at + interval '10 seconds', user_id, 'shop', 'buy', '{}'
    from visits where pro <> (i % 7 = 0)`;
}

/** Learning that reports once and then takes for ever; it ends when its signal aborts, as the real one does. */
export const learnForEver: TrainModelPorts["learn"] = (_run, { signal, onProgress }) => {
  signal.throwIfAborted();
  onProgress(0.5, "fitting for ever");
  return {
    read: Promise.resolve({ rows: 0 }),
    model: new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    }),
  };
};
