import { setImmediate } from "node:timers/promises";
import type { Sql, Transaction } from "./sql.ts";

type Work<Result> = (t: Transaction) => Promise<Result>;

/**
 * `sql.begin` that survives the loss of its connection. postgres.js 3.4.9 answers a failed transaction (or savepoint) with
 * a rollback on the same connection; when that is gone, the rollback is an exception outside of any promise, which ends the
 * process (porsager/postgres#1208, docs/decisions/0051-lost-connections.md). Here, after a loss, nothing more is sent.
 *
 * @param mode as in `begin`: isolation level and access. Default `read write`
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

  const done = sql.begin(mode, guard(work)) as Promise<Result>;
  done.catch(() => {
    lost = true;
  });
  return done;
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

/** The server closes the connection after this answer. */
function isFatal(error: unknown): boolean {
  return error instanceof Error && "severity" in error && (error.severity === "FATAL" || error.severity === "PANIC");
}

/** `begin` itself rejects when its connection closes; what it waited for is then forgotten. */
function never<R>(): Promise<R> {
  return new Promise(() => {});
}
