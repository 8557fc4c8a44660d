import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketsOf, reallocate, size } from "../../../core/bucketing/reallocate.ts";
import { BUCKETS, type Range } from "../../../core/bucketing/split.ts";

/** Weights in percent with three decimals, summing to 100. */
const weights = (arms: number) =>
  fc
    .array(fc.nat(BUCKETS), { minLength: arms - 1, maxLength: arms - 1 })
    .map((cuts) => [0, ...cuts.toSorted((a, b) => a - b), BUCKETS])
    .map((cuts) => cuts.slice(1).map((cut, index) => (cut - (cuts[index] as number)) / 1000));

const history = fc.integer({ min: 1, max: 6 }).chain((arms) => fc.array(weights(arms), { minLength: 2, maxLength: 6 }));

function owners(ranges: readonly (readonly Range[])[]): Int8Array {
  const owner = new Int8Array(BUCKETS).fill(-1);
  for (const [arm, own] of ranges.entries())
    for (const [from, to] of own) {
      expect(owner.subarray(from, to).every((already) => already === -1)).toBe(true);
      owner.fill(arm, from, to);
    }
  return owner;
}

describe("reallocate()", () => {
  test("lays arms without history out in order from bucket 0", () => {
    expect(reallocate([{ weight: 25 }, { weight: 0.001 }, { weight: 74.999 }])).toEqual([
      [[0, 25_000]],
      [[25_000, 25_001]],
      [[25_001, 100_000]],
    ]);
    expect(reallocate([{ weight: 0 }, { weight: 100 }])).toEqual([[], [[0, 100_000]]]);
  });

  test("gives every arm its weight exactly, and moves no more buckets than arithmetic requires", () => {
    fc.assert(
      fc.property(history, (steps) => {
        let ranges: readonly (readonly Range[])[] = [];
        let before: Int8Array | undefined;
        let earlier: readonly number[] = [];
        for (const current of steps) {
          ranges = reallocate(current.map((weight, arm) => ({ weight, ranges: ranges[arm] })));
          expect(ranges.map(size)).toEqual(current.map(bucketsOf));
          const after = owners(ranges);
          expect(after.includes(-1)).toBe(false);
          if (before !== undefined) {
            const moved = after.reduce((sum, arm, bucket) => sum + (arm === before?.[bucket] ? 0 : 1), 0);
            const least = current.reduce(
              (sum, weight, arm) => sum + Math.max(0, bucketsOf(weight) - bucketsOf(earlier[arm] as number)),
              0,
            );
            expect(moved).toBe(least);
          }
          before = after;
          earlier = current;
        }
      }),
      { numRuns: 60 },
    );
  });

  test("keeps an on/off rollout below the percentage, whatever its history", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(BUCKETS), { minLength: 1, maxLength: 8 }), (percentages) => {
        let ranges: readonly (readonly Range[])[] = [];
        for (const on of percentages)
          ranges = reallocate([
            { weight: on / 1000, ranges: ranges[0] },
            { weight: (BUCKETS - on) / 1000, ranges: ranges[1] },
          ]);
        const on = percentages.at(-1) as number;
        expect(ranges[0]).toEqual(on === 0 ? [] : [[0, on]]);
      }),
    );
  });

  test("an arm that is taken out frees its buckets for the others only", () => {
    const three = reallocate([{ weight: 30 }, { weight: 30 }, { weight: 40 }]);
    const two = reallocate([
      { weight: 50, ranges: three[0] },
      { weight: 50, ranges: three[2] },
    ]);
    expect(
      owners(two)
        .subarray(0, 30_000)
        .every((arm) => arm === 0),
    ).toBe(true);
    expect(
      owners(two)
        .subarray(60_000)
        .every((arm) => arm === 1),
    ).toBe(true);
  });
});
