import type { Clock, FeatureStore } from "../core/ports.ts";
import type { Config } from "../server/config.ts";
import type { Sql } from "../server/postgres/sql.ts";
import { readDataset } from "../server/postgres/training-data.ts";
import type { Metrics } from "../server/services.ts";
import { fit } from "./fit.ts";
import type { TrainModelPorts } from "./tasks/train-model.ts";

/** How training reads and fits in earnest: the database's events, a thread of its own. */
export function trainingPorts({
  databaseUrl,
  sql,
  clock,
  features,
  metrics,
  settings,
}: {
  databaseUrl: string;
  sql: Sql;
  clock: Clock;
  features: Pick<FeatureStore, "get">;
  metrics?: Pick<Metrics, "count">;
  /** Event types where neither the request nor the feature's objective names them. */
  settings: Pick<
    Config,
    "POSITIVE_EVENT_TYPES" | "VIEW_EVENT_TYPES" | "INTERMEDIATE_POSITIVE_EVENT_TYPES" | "TERMINAL_POSITIVE_EVENT_TYPES"
  >;
}): TrainModelPorts {
  return {
    databaseUrl,
    sql,
    clock,
    ...(metrics === undefined ? {} : { metrics }),
    fit,
    async read({ environment, request }, options) {
      const key = request.feature_key;
      const objective = key === null ? null : (await features.get(environment, key))?.objective;
      const defaults = {
        positive_event_types: settings.POSITIVE_EVENT_TYPES,
        view_event_types: settings.VIEW_EVENT_TYPES,
        funnel: {
          intermediate: settings.INTERMEDIATE_POSITIVE_EVENT_TYPES,
          terminal: settings.TERMINAL_POSITIVE_EVENT_TYPES,
        },
        objective,
      };
      return readDataset(sql, environment, request, defaults, options);
    },
  };
}
