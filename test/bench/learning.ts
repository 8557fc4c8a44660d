/**
 * npm run bench:learning [-- supervised hillstrom gate noise poisoning scale] [--data DIR]: what the learning part can do, on real data and
 * on data whose truth is known. Prints plain tables; without a name, all parts one after the other.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { benchGate } from "./learning/gate.ts";
import { benchHillstrom } from "./learning/hillstrom-live.ts";
import { benchNoise } from "./learning/noise.ts";
import { benchPoisoning } from "./learning/poisoning.ts";
import { benchScale } from "./learning/scale.ts";
import { benchSupervised } from "./learning/supervised.ts";

/** Where the sets are that may not be shipped: hillstrom.csv.gz and cdnow.csv.gz. */
const DATA = "data";

const PARTS: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  supervised: benchSupervised,
  hillstrom: benchHillstrom,
  gate: benchGate,
  noise: benchNoise,
  poisoning: benchPoisoning,
  scale: benchScale,
};

const { values, positionals } = parseArgs({
  options: { data: { type: "string", default: DATA } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}": use ${Object.keys(PARTS).join(", ")}, or none of them for all`);
  process.exit(2);
}

// Leaving by process.exit takes the processes along.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

for (const [name, bench] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n# ${name}\n`);
  await bench(values.data);
}
