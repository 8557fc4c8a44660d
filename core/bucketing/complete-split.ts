import { MURMUR } from "./algorithm.ts";
import { reallocate } from "./reallocate.ts";
import type { Gate, Range, Split } from "./split.ts";
import { BUCKETS } from "./split.ts";

type Arm = Split["arms"][number];

/**
 * The split as it is stored: seeds and bucket ranges written down. Algorithm and seed are those sent, else those `previous` was
 * stored with, else `seed`. Ranges that were sent are where a change of weights starts from, so that writing back an
 * earlier revision restores its assignment; else those of `previous`, arm by arm by variant; else the arms in order.
 * Throws a RangeError when ranges that were sent overlap.
 */
export function completeSplit(split: Split, seed: string, previous?: Split): Split {
  const used = split.bucketing?.seed ?? previous?.bucketing?.seed ?? seed;
  const sent = split.arms.some((arm) => arm.ranges !== undefined);
  const history = sent ? split.arms.map((arm) => arm.ranges ?? []) : inherit(split.arms, previous?.arms ?? []);
  checkDisjoint(history.flat());
  const ranges = reallocate(split.arms.map(({ weight }, index) => ({ weight, ranges: history[index] })));
  return {
    unit: split.unit,
    bucketing: split.bucketing ?? previous?.bucketing ?? { algorithm: MURMUR, seed: used, buckets: BUCKETS },
    arms: split.arms.map(({ variant, weight }, index) => ({ variant, weight, ranges: mutable(ranges[index] ?? []) })),
    ...(split.traffic === undefined ? {} : { traffic: split.traffic.map((gate) => completeTraffic(gate, used)) }),
  };
}

function completeTraffic(gate: Gate, seed: string): Gate {
  return {
    ...gate,
    bucketing: gate.bucketing ?? { algorithm: MURMUR, seed: `${seed}#traffic`, buckets: BUCKETS },
  };
}

/** The n-th arm of a variant inherits from the n-th arm of that variant. */
function inherit(arms: readonly Arm[], previous: readonly Arm[]): readonly (readonly Range[])[] {
  const left = new Map<string | null, (readonly Range[])[]>();
  for (const { variant, ranges } of previous) left.set(variant, [...(left.get(variant) ?? []), ranges ?? []]);
  return arms.map(({ variant }) => left.get(variant)?.shift() ?? []);
}

function checkDisjoint(ranges: readonly Range[]): void {
  let end = 0;
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (from < end || to < from)
      throw new RangeError(`Ranges of buckets may not overlap, found [${from}, ${to}) after ${end}: leave them out`);
    end = to;
  }
}

function mutable(ranges: readonly Range[]): [number, number][] {
  return ranges.map(([from, to]) => [from, to]);
}
