import type { Json } from "../json.ts";
import { MURMUR } from "./algorithm.ts";
import { bucketBy, bucketOf, type CompiledBucketing, compileBucketing } from "./bucket.ts";
import type { Gate } from "./split.ts";
import { BUCKETS } from "./split.ts";
import { readUnit } from "./unit.ts";

/** A gate ready to be asked. */
export interface CompiledGate extends CompiledBucketing {
  /** Buckets below this are let through. */
  readonly open: number;
  readonly percentage: number;
  readonly unit: readonly string[];
}

/** `seed` is used when the gate was stored without one. */
export function compileGate(gate: Gate, seed: string): CompiledGate {
  return {
    open: Math.round(gate.percentage * (BUCKETS / 100)),
    percentage: gate.percentage,
    unit: gate.unit,
    ...compileBucketing(gate.bucketing ?? { algorithm: MURMUR, seed, buckets: BUCKETS }),
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
  if (unit === undefined) return undefined;
  return (gate.seed === null ? bucketBy(gate, unit) : bucketOf(gate.seed, unit)) < gate.open;
}
