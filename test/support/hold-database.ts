/** A process that opens the database of the directory in argv, says so in one line of JSON, and stays until stdin ends. */
import process from "node:process";
import { openDatabase } from "../../server/postgres/embedded.ts";

const database = await openDatabase({ dataDir: process.argv[2] ?? "", settings: { fsync: "off" } });
process.stdout.write(`${JSON.stringify({ url: database.url, owner: database.owner })}\n`);
for await (const _ of process.stdin);
await database.stop();
