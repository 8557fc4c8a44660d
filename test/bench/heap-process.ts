/** Prints, as JSON, the bytes of heap a compiled feature takes, one of so many; run with --expose-gc. */
import process from "node:process";
import { compile, type Snapshot } from "../../core/engine/snapshot.ts";
import type { Feature } from "../../core/feature/feature.ts";
import { toDefinition } from "../../core/feature/to-definition.ts";
import type { Configuration } from "../../core/ports.ts";
import { builtIn } from "../../plugins/built-in.ts";
import { systemTiming } from "../../server/system-timing.ts";
import { mixed } from "./workload.ts";

const AT = "2026-11-01T00:00:00.000Z";
const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));

const count = Number(process.argv[2]);
const small = text(10);
const large = text(count);
// What is loaded and compiled by the engine's first use is not a feature's.
compileFrom(small);
const empty = heap();
const snapshot = compileFrom(large);
const bytes = (heap() - empty) / count;
if (snapshot.features.size !== count) throw new Error(`Compiled ${snapshot.features.size} features, not ${count}`);
console.log(JSON.stringify({ bytes }));

/** What was parsed is let go of, as a server does: the snapshot keeps what it needs of it. */
function compileFrom(features: string): Snapshot {
  return compile(parse(features), strategies, { timing: systemTiming });
}

function text(features: number): string {
  const stored = Array.from({ length: features }, (_, i): Feature => {
    const definition = toDefinition(mixed(i), { strategies });
    return { ...definition, id: i, environment: "production", version: 1, created_at: AT, updated_at: AT };
  });
  return JSON.stringify(stored);
}

/** As rows come from the database: nothing is shared. */
function parse(features: string): Configuration {
  return {
    environment: "production",
    revision: 1,
    features: JSON.parse(features) as readonly Feature[],
    segments: [],
    models: [],
    experiments: [],
  };
}

function heap(): number {
  for (let pass = 0; pass < 3; pass += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}
