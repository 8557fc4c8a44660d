import type { Secrets } from "../services.ts";
import type { Sql } from "./sql.ts";

/** Made by the migration and never changed, so each is read once. */
export function secretStore(sql: Sql): Secrets {
  let key: Promise<string> | undefined;
  return {
    eventStreamKey() {
      key ??= read(sql, "event-streams").catch((error: unknown) => {
        key = undefined;
        throw error;
      });
      return key;
    },
  };
}

async function read(sql: Sql, name: string): Promise<string> {
  const [stored] = await sql<{ value: string }[]>`select value from secrets where name = ${name}`;
  if (stored === undefined)
    throw new Error(
      `Reading the secret "${name}" found none; the migrations make it, so let them run: npm run migrate`,
    );
  return stored.value;
}
