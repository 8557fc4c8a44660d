/**
 * npm run bench:learning [-- supervised hillstrom gate noise confidence poisoning scale] [--data DIR] [--decisions N,N]: what the learning
 * part can do, on real data and on data whose truth is known. Prints plain tables; without a name, all parts one after the
 * other. `--decisions` are the sizes of scale, such as 10000000 (half an hour, 40 GB of disk).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { benchConfidence } from "./learning/confidence.ts";
import { benchGate } from "./learning/gate.ts";
import { benchHillstrom } from "./learning/hillstrom-live.ts";
import { benchNoise } from "./learning/noise.ts";
import { benchPoisoning } from "./learning/poisoning.ts";
import { benchScale } from "./learning/scale.ts";
import { benchSupervised } from "./learning/supervised.ts";

/** Where the sets are that may not be shipped: hillstrom.csv.gz and cdnow.csv.gz. */
const DATA = "data";

/** Sizes of the log that scale trains on. */
const DECISIONS = "100000,300000,1000000";

const PARTS: Readonly<Record<string, (directory: string) => Promise<void>>> = {
  supervised: benchSupervised,
  hillstrom: benchHillstrom,
  gate: benchGate,
  noise: benchNoise,
  confidence: benchConfidence,
  poisoning: benchPoisoning,
  scale: () => benchScale(sizes),
};

const { values, positionals } = parseArgs({
  options: { data: { type: "string", default: DATA }, decisions: { type: "string", default: DECISIONS } },
  allowPositionals: true,
});
const sizes = values.decisions.split(",").map(Number);
if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1000)) {
  console.error(`--decisions must be whole numbers from 1000 on, such as ${DECISIONS}, not ${values.decisions}`);
  process.exit(2);
}
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
