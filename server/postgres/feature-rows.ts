import type { Feature, FeatureDefinition } from "../../core/feature/feature.ts";
import type { Sql, Transaction } from "./sql.ts";

export interface FeatureRow {
  readonly id: number;
  readonly environment: string;
  readonly definition: FeatureDefinition;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** By creation. */
export async function selectFeatures(sql: Sql | Transaction, environment: string): Promise<readonly Feature[]> {
  const rows = await sql<FeatureRow[]>`
    select ${featureColumns(sql)} from features where environment = ${environment} order by id`;
  return rows.map(toFeature);
}

export function featureColumns(sql: Sql | Transaction) {
  return sql`id, environment, definition, version, created_at, updated_at`;
}

export function toFeature({ id, environment, definition, version, created_at, updated_at }: FeatureRow): Feature {
  return {
    id,
    environment,
    ...definition,
    version,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}
