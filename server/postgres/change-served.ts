import { Invalid } from "../../core/ports.ts";
import type { Sql, Transaction } from "./sql.ts";
import { transaction } from "./transaction.ts";

/** The channel on which servers hear of a committed change; the payload is the environment. */
export const CONFIGURATION_CHANNEL = "configuration";

/**
 * Changes what an environment serves, in one transaction (or a savepoint of the given one) that holds the environment's
 * write lock: writers of one environment follow each other, readers are not held up. When `work` calls `changed`, the
 * environment's revision moves and every server is told after the commit.
 *
 * @throws Invalid `unknown_environment`
 */
export async function changeServed<Result>(
  sql: Sql | Transaction,
  environment: string,
  work: (tx: Transaction, changed: () => void) => Promise<Result>,
): Promise<Result> {
  return inTransaction(sql, async (tx) => {
    await lock(tx, environment);
    let dirty = false;
    const result = await work(tx, () => {
      dirty = true;
    });
    if (dirty)
      await tx`
        with bumped as (update environments set revision = revision + 1 where key = ${environment} returning key)
        select pg_notify(${CONFIGURATION_CHANNEL}, key) from bumped`;
    return result;
  });
}

/** @throws Invalid `unknown_environment` when there is none of that name */
export async function requireEnvironment(sql: Sql | Transaction, environment: string): Promise<void> {
  const known = (await sql<{ key: string }[]>`select key from environments order by key`).map(({ key }) => key);
  if (!known.includes(environment))
    throw new Invalid(
      "unknown_environment",
      `There is no environment "${environment}"; there are: ${known.join(", ")}`,
    );
}

function inTransaction<Result>(sql: Sql | Transaction, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
  const done = "savepoint" in sql ? sql.savepoint(work) : transaction(sql, work);
  return done as Promise<Result>;
}

/** The environment's own row is the lock: inserts that only refer to it (jobs, events) do not wait for it. */
async function lock(tx: Transaction, environment: string): Promise<void> {
  const found = await tx`select from environments where key = ${environment} for no key update`;
  if (found.length === 0) await requireEnvironment(tx, environment);
}
