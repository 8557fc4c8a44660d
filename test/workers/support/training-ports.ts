import { datasetBuilder } from "../../../core/model/dataset.ts";
import type { Sql } from "../../../server/postgres/sql.ts";
import { fit } from "../../../workers/fit.ts";
import type { TrainModelPorts } from "../../../workers/tasks/train-model.ts";

/** Ports on a real database with a small dataset from nowhere; each can be replaced. */
export function trainingPorts(
  database: { url: string; sql: Sql },
  replaced: Partial<TrainModelPorts> = {},
): TrainModelPorts {
  return {
    databaseUrl: database.url,
    sql: database.sql,
    clock: { now: () => Date.now() },
    read: async () => separableDataset(),
    fit,
    ...replaced,
  };
}

/** 300 users; those on the plan "pro" mostly reach the objective, the others mostly do not. */
function separableDataset() {
  const start = Date.UTC(2026, 0, 1);
  const builder = datasetBuilder();
  for (let i = 0; i < 300; i++) {
    const pro = i % 2 === 0;
    const row = { "attribute.plan": pro ? "pro" : "free", "attribute.age": 20 + (i % 40) };
    builder.add({ unit: `u${i}`, at: start + i * 60_000, row, label: pro !== (i % 7 === 0) });
  }
  return builder.build({
    total_events: 600,
    unique_users: 300,
    positive_events: 150,
    moments: "views",
    window_seconds: 3600,
    positive_event_types: ["buy"],
    immature: 0,
    capped: 0,
    data_window: { from: new Date(start).toISOString(), to: new Date(start + 300 * 60_000).toISOString() },
  });
}

/** A fit that reports once and then takes for ever; it ends when its signal aborts, as a real one does. */
export const endlessFit: TrainModelPorts["fit"] = (_dataset, _options, { signal, onProgress }) => {
  onProgress(0.5, "fitting for ever");
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
};
