import type { Sql, Transaction } from "./sql.ts";

/** The trace in which a model was trained, as a W3C traceparent; null: it was not traced. */
export async function modelOrigin(
  sql: Sql | Transaction,
  environment: string,
  version: string,
): Promise<string | null> {
  const [row] = await sql<{ traceparent: string | null }[]>`
    select traceparent from models join training_jobs using (job_id)
    where models.environment = ${environment} and models.version = ${version}`;
  return row?.traceparent ?? null;
}
