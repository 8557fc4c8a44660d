import type { Experiment, ExperimentArm } from "../../core/experiment/experiment.ts";
import type { Sql, Transaction } from "./sql.ts";

/** One row of `experiments`, as `experimentColumns` selects it. */
export interface ExperimentRow {
  readonly id: number;
  readonly environment: string;
  readonly name: string;
  readonly feature_key: string;
  readonly primary_metric_event: string;
  readonly min_samples_per_variant: number;
  readonly min_lift: number;
  readonly alpha: number;
  readonly arms: readonly ExperimentArm[];
  readonly seed: string;
  readonly enabled: boolean;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

export function experimentColumns(sql: Sql | Transaction) {
  return sql`
    id, environment, name, feature_key, primary_metric_event, min_samples_per_variant, min_lift, alpha, arms, seed,
    enabled, created_at, ended_at`;
}

export function toExperiment(row: ExperimentRow): Experiment {
  return { ...row, created_at: row.created_at.toISOString(), ended_at: row.ended_at?.toISOString() ?? null };
}

export async function selectRunningExperiments(
  sql: Sql | Transaction,
  environment: string,
): Promise<readonly Experiment[]> {
  const rows = await sql<ExperimentRow[]>`
    select ${experimentColumns(sql)} from experiments where environment = ${environment} and enabled order by id`;
  return rows.map(toExperiment);
}
