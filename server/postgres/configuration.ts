import { type Configuration, type ConfigurationStore, Conflict, Invalid } from "../../core/ports.ts";
import { CONFIGURATION_CHANNEL, requireEnvironment } from "./change-served.ts";
import { selectRunningExperiments } from "./experiment-rows.ts";
import { selectFeatures } from "./feature-rows.ts";
import { selectServedModels } from "./model-rows.ts";
import { selectSegments } from "./segment-rows.ts";
import { onConnectionClosed, type Sql, type Transaction } from "./sql.ts";
import { transaction } from "./transaction.ts";

/** What is served, read whole, and the news of its changes. */
export function configurationStore(sql: Sql): ConfigurationStore {
  return {
    environments: () => sql<{ key: string; revision: number }[]>`select key, revision from environments order by key`,

    async createEnvironment(key) {
      if (!/^[a-z0-9][a-z0-9_-]{0,49}$/.test(key))
        throw new Invalid(
          "invalid_environment",
          `"${key}" cannot name an environment: use 1 to 50 lower-case letters, digits, - and _, not beginning with - or _`,
          "/key",
        );
      const made = await sql`
        with made as (insert into environments (key) values (${key}) on conflict do nothing returning key)
        select pg_notify(${CONFIGURATION_CHANNEL}, key) from made`;
      if (made.length === 0) throw new Conflict(`The environment "${key}" exists already`);
    },

    load: (environment) => transaction(sql, (tx) => load(tx, environment), "isolation level repeatable read read only"),

    async listen(changed) {
      const stopHints = onConnectionClosed(sql, () => changed(null));
      // The first success is no news; after a loss, or when it came late, changes may have been missed.
      let first = true;
      const onListening = () => {
        if (!first) changed(null);
        first = false;
      };
      const listening = sql.listen(CONFIGURATION_CHANNEL, changed, onListening);
      // postgres.js goes on trying, and calls onListening when it succeeds.
      await listening.catch(() => {
        first = false;
      });
      return {
        async close() {
          stopHints();
          await listening.then(({ unlisten }) => unlisten()).catch(() => {});
        },
      };
    },
  };
}

/** In one snapshot of the database, so that no feature comes with another revision's segments. */
async function load(tx: Transaction, environment: string): Promise<Configuration> {
  const [[stored], features, segments, models, experiments] = await Promise.all([
    tx<{ revision: number }[]>`select revision from environments where key = ${environment}`,
    selectFeatures(tx, environment),
    selectSegments(tx, environment),
    selectServedModels(tx, environment),
    selectRunningExperiments(tx, environment),
  ]);
  if (stored === undefined) await requireEnvironment(tx, environment);
  return { environment, revision: stored?.revision ?? 0, features, segments, models, experiments };
}
