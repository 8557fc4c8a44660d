import type { Json } from "../json.ts";
import { bucketOf, compileBucketing } from "./bucket.ts";
import type { Seed } from "./murmur3.ts";
import type { Gate } from "./split.ts";
import { BUCKETS } from "./split.ts";
import { readUnit } from "./unit.ts";

/** A gate ready to be asked. */
export interface CompiledGate {
  /** Buckets below this are let through. */
  readonly open: number;
  readonly percentage: number;
  readonly unit: readonly string[];
  readonly seed: Seed;
}

/** `seed` is used when the gate was stored without one. */
export function compileGate(gate: Gate, seed: string): CompiledGate {
  return {
    open: Math.round(gate.percentage * (BUCKETS / 100)),
    percentage: gate.percentage,
    unit: gate.unit,
    seed: compileBucketing(gate.bucketing ?? { algorithm: "murmur3-v1", seed, buckets: BUCKETS }),
  };
}

/** undefined: the user has none of the gate's units. 0 % and 100 % are answered without one. */
export function passes(
  gate: CompiledGate,
  user: { readonly [attribute: string]: Json | undefined },
): boolean | undefined {
  if (gate.open === 0) return false;
  if (gate.open === BUCKETS) return true;
  const unit = readUnit(user, gate.unit);
  return unit === undefined ? undefined : bucketOf(gate.seed, unit) < gate.open;
}
