import { BUCKETS, type Range } from "./split.ts";

export interface Share {
  /** Percent. The shares sum to 100. */
  readonly weight: number;
  /** What this arm owned until now. Default: nothing. */
  readonly ranges?: readonly Range[] | undefined;
}

/**
 * The buckets each arm owns after a change of weights. An arm keeps as many of its buckets as its new weight holds, so
 * the number that change hands is the least arithmetic allows. Which ones it keeps: those it would own if the arms were
 * laid out afresh, in order, from bucket 0; then its lowest. So where there is a choice, two features with the same
 * weights serve the same units whatever their history, and an on/off rollout stays "below the percentage".
 */
export function reallocate(shares: readonly Share[]): readonly (readonly Range[])[] {
  const fresh = layOut(shares);
  const kept = shares.map((share, index) => {
    const owned = share.ranges ?? [];
    const home = fresh[index] as Range;
    return take([...intersect(owned, [home]), ...subtract(owned, [home])], home[1] - home[0]);
  });
  let free = subtract([[0, BUCKETS]], sorted(kept.flat()));
  return shares.map((_, index) => {
    const home = fresh[index] as Range;
    const own = kept[index] as readonly Range[];
    // First what is free at home, so that an arm without history gets one range.
    const wanted = [...intersect(free, [home]), ...subtract(free, [home])];
    const added = take(wanted, home[1] - home[0] - size(own));
    free = subtract(free, sorted(added));
    return merge(sorted([...own, ...added]));
  });
}

/** How many buckets a weight is. */
export function bucketsOf(weight: number): number {
  return Math.round(weight * (BUCKETS / 100));
}

export function size(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

function layOut(shares: readonly Share[]): readonly Range[] {
  let at = 0;
  return shares.map(({ weight }) => {
    const from = at;
    at += bucketsOf(weight);
    return [from, at];
  });
}

/** The first `count` buckets of these ranges, in the order given. */
function take(ranges: readonly Range[], count: number): readonly Range[] {
  const taken: Range[] = [];
  let left = count;
  for (const [from, to] of ranges) {
    if (left <= 0) break;
    const end = Math.min(to, from + left);
    taken.push([from, end]);
    left -= end - from;
  }
  return taken;
}

function intersect(ranges: readonly Range[], others: readonly Range[]): readonly Range[] {
  return ranges
    .flatMap(([from, to]) => others.map((other): Range => [Math.max(from, other[0]), Math.min(to, other[1])]))
    .filter(([from, to]) => from < to);
}

/** What of `ranges` is not in `others`, which are sorted and do not overlap. */
function subtract(ranges: readonly Range[], others: readonly Range[]): readonly Range[] {
  return ranges.flatMap(([from, to]) => {
    const left: Range[] = [];
    let at = from;
    for (const [start, end] of others) {
      if (end <= at || start >= to) continue;
      if (start > at) left.push([at, start]);
      at = Math.max(at, end);
    }
    if (at < to) left.push([at, to]);
    return left;
  });
}

function sorted(ranges: readonly Range[]): readonly Range[] {
  return ranges.toSorted((a, b) => a[0] - b[0]);
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const [from, to] of ranges) {
    const last = merged.at(-1);
    if (last !== undefined && last[1] === from) merged[merged.length - 1] = [last[0], to];
    else merged.push([from, to]);
  }
  return merged;
}
