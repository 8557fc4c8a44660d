import type { Json } from "../json.ts";
import { type BucketOf, compileBucketing } from "./bucket.ts";
import { type CompiledGate, compileGate, passes } from "./gate.ts";
import { bucketsOf, reallocate, size } from "./reallocate.ts";
import { BUCKETS, type Split } from "./split.ts";
import { readUnit } from "./unit.ts";

/** A split ready to be asked. Arms go by their index in the split. */
export interface CompiledSplit {
  readonly unit: readonly string[];
  readonly bucketOf: BucketOf;
  /** The gates that keep anyone out. */
  readonly traffic: readonly CompiledGate[];
  /** Where each interval of buckets ends, ascending, and which arm owns it. */
  readonly ends: readonly number[];
  readonly owners: readonly number[];
  /** The arm that has everyone, so that no unit is needed; -1 when there is none. */
  readonly sole: number;
}

/** What `place` answers instead of a bucket. */
export const NO_UNIT = -1;
export const OUTSIDE = -2;
export const EVERYONE = -3;

/** `seed` is used when the split was stored without one. Throws a RangeError when its arms do not share out all buckets. */
export function compileSplit(split: Split, seed: string): CompiledSplit {
  const used = split.bucketing?.seed ?? seed;
  const traffic = (split.traffic ?? []).map((gate) => compileGate(gate, `${used}#traffic`));
  const limiting = traffic.filter((gate) => gate.open < BUCKETS);
  const { ends, owners } = layOut(split);
  return {
    unit: split.unit,
    bucketOf: compileBucketing(split.bucketing ?? { algorithm: "murmur3-v1", seed, buckets: BUCKETS }),
    traffic: limiting,
    ends,
    owners,
    sole: limiting.length === 0 && owners.length === 1 ? (owners[0] as number) : -1,
  };
}

/** The user's bucket; or NO_UNIT, OUTSIDE (a traffic gate keeps the user out) or EVERYONE (one arm has all buckets). */
export function place(split: CompiledSplit, user: { readonly [attribute: string]: Json | undefined }): number {
  if (split.sole >= 0) return EVERYONE;
  for (let at = 0; at < split.traffic.length; at += 1) {
    const through = passes(split.traffic[at] as CompiledGate, user);
    if (through === undefined) return NO_UNIT;
    if (!through) return OUTSIDE;
  }
  if (split.owners.length === 1) return EVERYONE;
  const unit = readUnit(user, split.unit);
  return unit === undefined ? NO_UNIT : split.bucketOf(unit);
}

/** The arm that owns what `place` answered: a bucket or EVERYONE. */
export function armAt(split: CompiledSplit, bucket: number): number {
  const { ends, owners } = split;
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bucket < (ends[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return owners[low] as number;
}

function layOut(split: Split): { ends: readonly number[]; owners: readonly number[] } {
  const stored = split.arms.every((arm) => arm.ranges !== undefined && size(arm.ranges) === bucketsOf(arm.weight));
  const all = stored ? split.arms.map((arm) => arm.ranges ?? []) : reallocate(split.arms);
  const intervals = all
    .flatMap((ranges, arm) => ranges.map(([from, to]) => ({ from, to, arm })))
    .filter(({ from, to }) => from < to)
    .toSorted((a, b) => a.from - b.from);
  let at = 0;
  for (const { from, to } of intervals) {
    if (from !== at) break;
    at = to;
  }
  if (at !== BUCKETS)
    throw new RangeError(`Cannot compile a split whose arms do not share out all ${BUCKETS} buckets: stopped at ${at}`);
  return { ends: intervals.map(({ to }) => to), owners: intervals.map(({ arm }) => arm) };
}
