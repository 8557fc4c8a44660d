/** A worker process whose training never ends, to be killed or stopped. Usage: node endless-worker.ts <database url> */
import process from "node:process";
import { openSql } from "../../../server/postgres/sql.ts";
import { startWorker } from "../../../workers/runner.ts";
import { learnForEver, trainingPorts } from "./training-ports.ts";

const url = process.argv[2] as string;
const sql = openSql(url);
const worker = await startWorker({
  databaseUrl: url,
  sql,
  clock: { now: () => Date.now() },
  training: trainingPorts({ url, sql }, { learn: learnForEver }),
});
process.on("SIGTERM", () => void worker.stop().then(() => process.exit(0)));
process.stdout.write("ready\n");
