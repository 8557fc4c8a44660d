/** npm run migrate: brings the database to the newest schema, which `npm start` does by itself. */
import process from "node:process";
import { readConfig } from "../config.ts";
import { openDatabase } from "../postgres/embedded.ts";
import { migrate } from "../postgres/migrate.ts";

try {
  const config = readConfig(process.env);
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  try {
    await migrate(database.url);
  } finally {
    await database.stop();
  }
  console.log("The database has the newest schema");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
