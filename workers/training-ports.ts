import type { Clock } from "../core/ports.ts";
import type { Config } from "../server/config.ts";
import type { Sql } from "../server/postgres/sql.ts";
import type { Metrics } from "../server/services.ts";
import { learn } from "./learn.ts";
import type { TrainModelPorts } from "./tasks/train-model.ts";

/** How training works in earnest: from the database's events, in a thread of its own. */
export function trainingPorts({
  databaseUrl,
  sql,
  clock,
  metrics,
  settings,
}: {
  databaseUrl: string;
  sql: Sql;
  clock: Clock;
  metrics?: Pick<Metrics, "count">;
  /** Event types where neither the request nor the feature's objective names them; and the plugins, by which the gate decides. */
  settings: Pick<
    Config,
    | "POSITIVE_EVENT_TYPES"
    | "VIEW_EVENT_TYPES"
    | "INTERMEDIATE_POSITIVE_EVENT_TYPES"
    | "TERMINAL_POSITIVE_EVENT_TYPES"
    | "PLUGINS"
  >;
}): TrainModelPorts {
  const defaults = {
    positive_event_types: settings.POSITIVE_EVENT_TYPES,
    view_event_types: settings.VIEW_EVENT_TYPES,
    funnel: {
      intermediate: settings.INTERMEDIATE_POSITIVE_EVENT_TYPES,
      terminal: settings.TERMINAL_POSITIVE_EVENT_TYPES,
    },
  };
  return {
    databaseUrl,
    sql,
    clock,
    ...(metrics === undefined ? {} : { metrics }),
    learn: ({ environment, request }, options) =>
      learn({ databaseUrl, environment, request, defaults, now: clock.now(), plugins: settings.PLUGINS }, options),
  };
}
