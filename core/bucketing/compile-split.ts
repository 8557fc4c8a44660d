import type { Json } from "../json.ts";
import { MURMUR } from "./algorithm.ts";
import { bucketBy, bucketOf, type CompiledBucketing, compileBucketing } from "./bucket.ts";
import { type CompiledGate, compileGate, passes } from "./gate.ts";
import { bucketsOf, reallocate, size } from "./reallocate.ts";
import { BUCKETS, type Split } from "./split.ts";
import { readUnit } from "./unit.ts";

/** A split ready to be asked. Arms go by their index in the split. Neither seed nor plugin: one arm has all buckets. */
export interface CompiledSplit extends CompiledBucketing {
  readonly unit: readonly string[];
  /** The gates that keep someone out; null: there are none. */
  readonly traffic: readonly CompiledGate[] | null;
  /** Where each interval of buckets ends, ascending, and which arm owns it. */
  readonly ends: readonly number[];
  readonly owners: readonly number[];
  /** True when one arm has everyone and no gate keeps anyone out: who is asked about makes no difference. */
  readonly constant: boolean;
}

interface Attributes {
  readonly [attribute: string]: Json | undefined;
}

/** What `placeIn` answers instead of a bucket. */
export const NO_UNIT = -1;
export const OUTSIDE = -2;
export const EVERYONE = -3;

/** `seed` is used when the split was stored without one. Throws a RangeError when its arms do not share out all buckets. */
export function compileSplit(split: Split, seed: string): CompiledSplit {
  const bucketing = split.bucketing ?? { algorithm: MURMUR, seed, buckets: BUCKETS };
  const gates = (split.traffic ?? [])
    .map((gate) => compileGate(gate, `${bucketing.seed}#traffic`))
    .filter(({ open }) => open < BUCKETS);
  const { ends, owners } = layOutOnce(split.arms);
  const sole = owners.length === 1;
  return {
    unit: split.unit,
    ...(sole ? NO_BUCKETING : compileBucketing(bucketing)),
    traffic: gates.length === 0 ? null : gates,
    ends,
    owners,
    constant: sole && gates.length === 0,
  };
}

const NO_BUCKETING: CompiledBucketing = { seed: null, plugged: null };

/** The user's bucket; or NO_UNIT, OUTSIDE (a traffic gate keeps the user out) or EVERYONE (one arm has all buckets). */
export function placeIn(split: CompiledSplit, user: Attributes): number {
  const { unit, seed, traffic } = split;
  if (traffic !== null)
    for (const gate of traffic) {
      const through = passes(gate, user);
      if (through === undefined) return NO_UNIT;
      if (!through) return OUTSIDE;
    }
  if (seed === null) return split.plugged === null ? EVERYONE : placeByPlugin(split, user);
  // Most users have the first unit, as text.
  const value = user[unit[0] as string];
  if (typeof value === "string" && value !== "") return bucketOf(seed, value);
  const found = readUnit(user, unit);
  return found === undefined ? NO_UNIT : bucketOf(seed, found);
}

function placeByPlugin(split: CompiledSplit, user: Attributes): number {
  const found = readUnit(user, split.unit);
  return found === undefined ? NO_UNIT : bucketBy(split, found);
}

/** The arm that owns what `placeIn` answered: a bucket or EVERYONE. */
export function armAt({ ends, owners }: CompiledSplit, bucket: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bucket < (ends[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return owners[low] as number;
}

type Arms = Split["arms"];
type Layout = Pick<CompiledSplit, "ends" | "owners">;

/** A snapshot shares equal arms among its features: they are laid out, and kept, once. */
const layouts = new WeakMap<Arms, Layout>();

function layOutOnce(arms: Arms): Layout {
  const known = layouts.get(arms);
  if (known !== undefined) return known;
  const layout = layOut(arms);
  layouts.set(arms, layout);
  return layout;
}

function layOut(arms: Arms): Layout {
  const stored = arms.every((arm) => arm.ranges !== undefined && size(arm.ranges) === bucketsOf(arm.weight));
  const all = stored ? arms.map((arm) => arm.ranges ?? []) : reallocate(arms);
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
