import { describe, expect, test } from "vitest";
import type { BucketingAlgorithm } from "../../core/bucketing/algorithm.ts";
import { bucketOf } from "../../core/bucketing/bucket.ts";
import { prepareSeed } from "../../core/bucketing/murmur3.ts";
import type { Operator } from "../../core/feature/operators/operator.ts";
import { OPERATORS } from "../../core/feature/operators.ts";
import { bucketing } from "../../docs/examples/growthbook-hash.ts";
import type { Check } from "../../plugins/kit/check.ts";
import { checkAlgorithm } from "../../plugins/kit/check-algorithm.ts";
import { checkOperator } from "../../plugins/kit/check-operator.ts";
import { defineStrategy } from "../../plugins/kit/define-strategy.ts";

async function failures(checks: readonly Check[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of checks) await run().catch(() => failed.push(name));
  return failed;
}

describe("of an operator the kit finds", () => {
  const samples = { matches: [{ value: 2, attribute: 3 }], misses: [{ value: 2, attribute: 1 }], refused: ["two"] };
  let calls = 0;
  const of = (compile: (value: unknown) => (attribute: unknown) => unknown) =>
    ({ summary: "For tests", value: "a number", compile }) as Operator;

  test.each<[string, Operator, string[]]>([
    ["nothing wrong with a sound one", OPERATORS.gt, []],
    [
      "one that takes any value",
      of((bound) => (found) => Number(found) > Number(bound)),
      ["refuses values it cannot use"],
    ],
    [
      "one that answers no boolean",
      of(() => (found) => found),
      expect.arrayContaining(["matches what it should and nothing else"]),
    ],
    [
      "one that throws",
      of((bound) => {
        if (typeof bound !== "number") throw new TypeError("must be a number");
        return (found) => (found as number).toFixed(0) > bound.toFixed(0);
      }),
      ["answers about odd attributes instead of throwing", "gives the same answer again, in any order"],
    ],
    [
      "one with a memory",
      of((bound) => {
        if (typeof bound !== "number") throw new TypeError("must be a number");
        return (found) => {
          calls += 1;
          return typeof found === "number" ? found > bound : calls % 2 === 0;
        };
      }),
      ["gives the same answer again, in any order"],
    ],
  ])("%s", async (_, operator, expected) => {
    expect(await failures(checkOperator("greater_v1", operator, samples))).toEqual(expected);
  });

  test("a name without version, and a lack of samples", async () => {
    const named = checkOperator("greater", OPERATORS.gt, samples);
    expect(await failures(named)).toEqual(["is named with its version"]);
    const bare = checkOperator("greater_v1", OPERATORS.gt, { matches: [], misses: [] });
    expect(await failures(bare)).toEqual(["is named with its version"]);
  });
});

describe("of a bucketing algorithm the kit finds", () => {
  const of = (prepare: BucketingAlgorithm["prepare"]): BucketingAlgorithm => ({ summary: "For tests", prepare });
  const murmur = of((seed) => {
    const prepared = prepareSeed(seed);
    return (unit) => bucketOf(prepared, unit);
  });
  const even = "spreads units evenly";
  const anew = "divides the same units anew for each seed";
  let calls = 0;

  test.each<[string, BucketingAlgorithm, string[]]>([
    ["nothing wrong with murmur3-v1", murmur, []],
    ["nothing wrong with GrowthBook's", bucketing["growthbook-v2"] as BucketingAlgorithm, []],
    ["one that knows no seed", of(() => murmur.prepare("fixed", 100_000)), [anew]],
    ["one that lumps", of(() => (unit) => unit.length), [even, anew]],
    [
      "one that leaves the buckets",
      of((seed) => (unit) => murmur.prepare(seed, 1)(unit) / 3),
      ["puts odd units into buckets", even, anew],
    ],
    [
      "one with a memory",
      of(() => () => {
        calls += 7919;
        return calls % 100_000;
      }),
      ["puts the same unit into the same bucket", even, anew],
    ],
  ])("%s", async (_, algorithm, expected) => {
    expect(await failures(checkAlgorithm("mine-v1", algorithm))).toEqual(expected);
  });

  test("a bucket other than the known one", async () => {
    const known = [["new-checkout", "user-1", 39_756]] as const;
    expect(await failures(checkAlgorithm("mine-v1", murmur, { known }))).toEqual([]);
    const other = [["new-checkout", "user-1", 39_757]] as const;
    expect(await failures(checkAlgorithm("mine-v1", murmur, { known: other }))).toEqual([
      "gives the buckets that are known",
    ]);
  });
});

test("defineStrategy() refuses a name that could not be loaded", () => {
  expect(() => defineStrategy({ id: "My Strategy" } as never)).toThrow(
    'its id must be kebab-case, as in "my-strategy"',
  );
});
