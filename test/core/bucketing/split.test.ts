import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { armAt, compileSplit, EVERYONE, NO_UNIT, OUTSIDE, placeIn } from "../../../core/bucketing/compile-split.ts";
import { completeSplit } from "../../../core/bucketing/complete-split.ts";
import { BUCKETS, Split } from "../../../core/bucketing/split.ts";

const USERS = Array.from({ length: 200_000 }, (_, index) => `user-${index}`);

function onOff(percentage: number, seed = "new-checkout", previous?: Split): Split {
  const off = Math.round((100 - percentage) * 1000) / 1000;
  const arms = [
    { variant: "on", weight: percentage },
    { variant: "off", weight: off },
  ];
  return completeSplit(Split.parse({ arms }), seed, previous);
}

function variantFor(split: Split): (userId: string) => string | null {
  const compiled = compileSplit(split, "unused");
  return (user_id) => split.arms[armAt(compiled, placeIn(compiled, { user_id }))]?.variant ?? null;
}

describe("a split", () => {
  test("raising a percentage only adds users, in steps of 0.001 %", () => {
    const percentage = fc.nat(BUCKETS).map((thousandths) => thousandths / 1000);
    const units = USERS.slice(0, 2000);
    fc.assert(
      fc.property(percentage, percentage, (one, other) => {
        const low = onOff(Math.min(one, other));
        const before = variantFor(low);
        const after = variantFor(onOff(Math.max(one, other), "new-checkout", low));
        for (const unit of units) if (before(unit) === "on") expect(after(unit)).toBe("on");
      }),
      { numRuns: 50 },
    );
  });

  test("0 % is nobody and 100 % everybody, 0.001 % about two in 200,000", () => {
    const nobody = variantFor(onOff(0));
    const everybody = variantFor(onOff(100));
    const few = variantFor(onOff(0.001));
    expect(USERS.some((unit) => nobody(unit) === "on")).toBe(false);
    expect(USERS.every((unit) => everybody(unit) === "on")).toBe(true);
    const found = USERS.filter((unit) => few(unit) === "on").length;
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(12);
  });

  test("shares are what they say: chi-square over 200,000 users", () => {
    const weights = [10, 20, 30, 40];
    const arms = weights.map((weight, index) => ({ variant: `v${index}`, weight }));
    const variantOf = variantFor(completeSplit(Split.parse({ arms }), "shares"));
    const counts = Map.groupBy(USERS, variantOf);
    const statistic = weights.reduce((sum, weight, index) => {
      const expected = (USERS.length * weight) / 100;
      return sum + ((counts.get(`v${index}`)?.length ?? 0) - expected) ** 2 / expected;
    }, 0);
    // The 0.999 quantile for three degrees of freedom.
    expect(statistic).toBeLessThan(16.27);
  });

  test("two features are uncorrelated: chi-square of their table over 200,000 users, for ten pairs", () => {
    for (let pair = 0; pair < 10; pair += 1) {
      const one = variantFor(onOff(50, `feature-${pair}`));
      const other = variantFor(onOff(30, `feature-${pair + 1}`));
      const table = [0, 0, 0, 0];
      for (const unit of USERS) {
        const cell = (one(unit) === "on" ? 2 : 0) + (other(unit) === "on" ? 1 : 0);
        table[cell] = (table[cell] as number) + 1;
      }
      const [a, b, c, d] = table as [number, number, number, number];
      const statistic = (USERS.length * (a * d - b * c) ** 2) / ((a + b) * (c + d) * (a + c) * (b + d));
      // The 0.9999 quantile for one degree of freedom.
      expect(statistic, `pair ${pair}`).toBeLessThan(15.14);
    }
  });

  test("arms and traffic use different seeds", () => {
    const split = completeSplit(Split.parse({ arms: onOff(50).arms, traffic: [{ percentage: 50 }] }), "new-checkout");
    const compiled = compileSplit(split, "unused");
    const inside = USERS.map((user_id) => placeIn(compiled, { user_id })).filter((bucket) => bucket !== OUTSIDE);
    expect(inside.length).toBeGreaterThan(98_000);
    expect(inside.length).toBeLessThan(102_000);
    // Were the seeds the same, everyone inside would be below half.
    const upper = inside.filter((bucket) => bucket >= BUCKETS / 2).length;
    expect(upper / inside.length).toBeGreaterThan(0.48);
    expect(upper / inside.length).toBeLessThan(0.52);
  });

  test("keeps users when another arm's weight changes", () => {
    const arms = (weights: readonly number[]) => weights.map((weight, index) => ({ variant: `v${index}`, weight }));
    const before = completeSplit(Split.parse({ arms: arms([40, 30, 30]) }), "abc");
    const after = completeSplit(Split.parse({ arms: arms([40, 50, 10]) }), "abc", before);
    const [was, is] = [variantFor(before), variantFor(after)];
    const moved = USERS.filter((unit) => was(unit) !== is(unit));
    expect(new Set(moved.map(was))).toEqual(new Set(["v2"]));
    expect(moved.length / USERS.length).toBeCloseTo(0.2, 2);
  });

  test("needs no unit when one arm has everyone", () => {
    const all = compileSplit(onOff(100), "unused");
    expect(placeIn(all, {})).toBe(EVERYONE);
    expect(all.constant).toBe(true);
    expect(placeIn(compileSplit(onOff(99.999), "unused"), {})).toBe(NO_UNIT);
  });

  test("takes the first unit the user has; numbers and booleans are written out", () => {
    const split = compileSplit({ ...onOff(50), unit: ["org_id", "user_id"] }, "unused");
    const of = (user: Record<string, never>) => placeIn(split, user);
    const user = (attributes: object) => attributes as Record<string, never>;
    expect(of(user({ org_id: "7", user_id: "a" }))).toBe(of(user({ org_id: 7 })));
    expect(of(user({ org_id: "", user_id: "a" }))).toBe(of(user({ user_id: "a" })));
    expect(of(user({ org_id: null, user_id: true }))).toBe(of(user({ user_id: "true" })));
    for (const odd of [{ org_id: {} }, { org_id: [] }, { user_id: Number.NaN }, { user_id: "" }, {}])
      expect(of(user(odd))).toBe(NO_UNIT);
  });

  test("completeSplit() keeps seed and ranges of the stored split, and restores those that are sent", () => {
    const stored = onOff(20, "old-key");
    const renamed = onOff(30, "new-key", stored);
    expect(renamed.bucketing?.seed).toBe("old-key");
    expect(completeSplit(stored, "another", renamed)).toEqual(stored);
  });

  test("completeSplit() refuses ranges that overlap", () => {
    const arms = [
      { variant: "on", weight: 50, ranges: [[0, 50_000]] },
      { variant: "off", weight: 50, ranges: [[40_000, 90_000]] },
    ];
    expect(() => completeSplit(Split.parse({ arms }), "seed")).toThrow("may not overlap");
  });

  test("compileSplit() refuses arms that do not share out all buckets", () => {
    expect(() => compileSplit(Split.parse({ arms: [{ variant: "on", weight: 50 }] }), "seed")).toThrow("stopped at");
  });
});
