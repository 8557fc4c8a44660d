import { setImmediate } from "node:timers/promises";
import { Overloaded } from "../../core/ports.ts";
import type { Sql, Transaction } from "./sql.ts";

type Work<Result> = (t: Transaction) => Promise<Result>;

/**
 * Seconds. A client that vanished in the middle of a transaction would hold its rows until TCP gives up, which takes hours:
 * PostgreSQL ends one that has been idle for so long. Who waits for its rows outlives that, and does not wait for ever.
 */
const IDLE_S = 5;
const LOCK_S = 8;
const LIMITS = `set local idle_in_transaction_session_timeout = '${IDLE_S}s'; set local lock_timeout = '${LOCK_S}s'`;

/**
 * `sql.begin` that survives the loss of its connection. postgres.js 3.4.9 answers a failed transaction (or savepoint) with
 * a rollback on the same connection; when that is gone, the rollback is an exception outside of any promise, which ends the
 * process (porsager/postgres#1208, docs/decisions/0051-lost-connections.md). Here, after a loss, nothing more is sent.
 * No transaction keeps others waiting for long, whatever happens to its client.
 *
 * @param mode as in `begin`: isolation level and access. Default `read write`
 * @throws Overloaded when others hold what it needs for more than 8 s
 */
export function transaction<Result>(sql: Sql, work: Work<Result>, mode = "read write"): Promise<Result> {
  let lost = false;

  const guard =
    <R>(inner: Work<R>): Work<R> =>
    async (t) => {
      const savepoint = t.savepoint as <S>(nested: Work<S>) => Promise<S>;
      Object.assign(t, { savepoint: <S>(nested: Work<S>) => savepoint(guard(nested)) });
      const outcome = await settle(inner(refusing(t, () => lost)));
      // `begin` hears of the loss at the same moment as the query in flight: let both arrive.
      await setImmediate();
      if (lost || isFatal(outcome.error)) return never<R>();
      if ("error" in outcome) throw outcome.error;
      return outcome.result;
    };

  const bounded: Work<Result> = (t) => {
    // Not awaited: it travels with the work's first query.
    t.unsafe(LIMITS).execute();
    return work(t);
  };
  return (sql.begin(mode, guard(bounded)) as Promise<Result>).catch((error: unknown) => {
    lost = true;
    throw isLockTimeout(error)
      ? new Overloaded(
          `Another transaction has held what this one needs for ${LOCK_S} s; nothing was changed: try again`,
        )
      : error;
  });
}

/** The work may be busy elsewhere when the connection goes: its next query, too, would be sent into nothing. */
function refusing(t: Transaction, lost: () => boolean): Transaction {
  return new Proxy(t, {
    apply(query, self, parts) {
      if (lost()) throw new Error("The transaction's connection was lost: nothing of it was kept");
      return Reflect.apply(query, self, parts);
    },
  });
}

function settle<R>(promise: Promise<R>): Promise<{ result: R; error?: never } | { error: unknown }> {
  return promise.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "55P03";
}

/** The server closes the connection after this answer. */
function isFatal(error: unknown): boolean {
  return error instanceof Error && "severity" in error && (error.severity === "FATAL" || error.severity === "PANIC");
}

/** `begin` itself rejects when its connection closes; what it waited for is then forgotten. */
function never<R>(): Promise<R> {
  return new Promise(() => {});
}
