/**
 * npm run bench [-- evaluate memory http unleash-server events]: ratios measured side by side in one run (docs/decisions/0044-measuring.md).
 * Prints a line a comparison; the exit code is 0 whatever the ratios are, for a busy machine is not a failure.
 */
import process from "node:process";
import { benchEvaluate } from "./evaluate.ts";
import { benchEvents } from "./events.ts";
import { benchHttp } from "./http.ts";
import { benchMemory } from "./memory.ts";
import { printRows, type Row } from "./row.ts";
import { benchUnleashServer } from "./unleash-server.ts";

const BENCHES: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  evaluate: benchEvaluate,
  memory: benchMemory,
  http: benchHttp,
  "unleash-server": benchUnleashServer,
  events: benchEvents,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  console.error(`There is no bench "${unknown}": use ${Object.keys(BENCHES).join(", ")}, or none of them for all`);
  process.exit(2);
}

// Leaving by process.exit takes the servers along.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

const rows: Row[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.error(`measuring ${name} ...`);
  rows.push(...(await bench()));
}
printRows(rows);
