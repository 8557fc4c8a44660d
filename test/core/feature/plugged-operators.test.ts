import { afterEach, describe, expect, test } from "vitest";
import { plugAlgorithms } from "../../../core/bucketing/algorithm.ts";
import { compileSplit, placeIn } from "../../../core/bucketing/compile-split.ts";
import { Split } from "../../../core/bucketing/split.ts";
import { compileCondition } from "../../../core/feature/compile-condition.ts";
import { Condition } from "../../../core/feature/condition.ts";
import { plugOperators } from "../../../core/feature/operators.ts";
import type { Ask, CompiledCondition } from "../../../core/strategy.ts";

afterEach(() => {
  plugOperators(new Map());
  plugAlgorithms(new Map());
});

const ask: Ask = {
  user: { user_id: "ada", n: 4 },
  now: 0,
  explain: false,
  profile: undefined,
  variantOf: () => undefined,
};
const even = { attribute: "/n", op: "is_even_v1" };
const yes = { attribute: "/n", op: "gt", value: 1 };
const EVEN = {
  summary: "Is an even number",
  value: null,
  compile: () => (found: unknown) => typeof found === "number" && found % 2 === 0,
};

function compile(condition: unknown): CompiledCondition {
  const scope = { segment: () => compile(even), offVariant: () => undefined, seed: "test#gate" };
  return compileCondition(Condition.parse(condition), scope);
}

describe("an operator of a plugin", () => {
  test.each([
    [even, true],
    [{ not: even }, false],
    [{ all: [yes, even] }, true],
    [{ segment: "even" }, true],
  ])("is asked as any other: %j", (condition, expected) => {
    plugOperators(new Map([["is_even_v1", EVEN]]));
    const compiled = compile(condition);
    expect([compiled.test(ask), compiled.gone]).toEqual([expected, undefined]);
  });

  test.each([
    [even, false],
    [{ not: even }, false],
    [{ not: { not: even } }, false],
    [{ not: { all: [even, { not: yes }] } }, false],
    [{ not: { segment: "even" } }, false],
    [{ all: [yes, even] }, false],
    [{ any: [even, { not: yes }] }, false],
    [{ any: [yes, even] }, true],
  ])("that is gone makes nothing match, nor its negation: %j", (condition, expected) => {
    const compiled = compile(condition);
    expect(compiled.test(ask)).toBe(expected);
    expect(compiled.explain(ask).result === "yes").toBe(expected);
    expect(compiled.gone).toContain('no operator "is_even_v1"');
  });

  test("is refused by name when it is none a plugin could have brought", () => {
    plugOperators(new Map([["is_even_v1", EVEN]]));
    const issue = Condition.safeParse({ ...even, op: "is_evn" }).error?.issues[0];
    expect(issue?.message).toMatch(/There is no operator "is_evn": use one of equals.*, is_even_v1/);
  });
});

describe("a bucketing algorithm of a plugin", () => {
  const split = {
    unit: ["org", "user_id"],
    bucketing: { algorithm: "by-length-v1", seed: "s" },
    arms: [
      { variant: "on", weight: 50 },
      { variant: "off", weight: 50 },
    ],
    traffic: [{ percentage: 50, bucketing: { algorithm: "by-length-v1", seed: "t" } }],
  };
  const plug = (bucketer: (unit: string) => number) =>
    plugAlgorithms(new Map([["by-length-v1", { summary: "By length", prepare: () => bucketer }]]));

  test("divides units and guards traffic", () => {
    plug((unit) => unit.length * 1000);
    const compiled = compileSplit(Split.parse(split), "unused");
    expect(placeIn(compiled, { user_id: "ada" })).toBe(3000);
    expect(placeIn(compiled, { user_id: "x".repeat(60) }), "outside the traffic").toBe(-2);
    expect(placeIn(compiled, {}), "no unit").toBe(-1);
  });

  test.each([100_000, -1, 0.5, Number.NaN])("that answers %d is stopped", (bucket) => {
    plug(() => bucket);
    const compiled = compileSplit(Split.parse({ ...split, traffic: [] }), "unused");
    expect(() => placeIn(compiled, { user_id: "ada" })).toThrow(`answered ${bucket}`);
  });

  test("that is not there is refused with the names of those that are", () => {
    expect(Split.safeParse(split).error?.issues[0]?.message).toContain("use one of murmur3-v1");
    plug(() => 0);
    const stored = Split.parse(split);
    plugAlgorithms(new Map());
    expect(() => compileSplit(stored, "unused")).toThrow('no bucketing algorithm "by-length-v1"');
  });
});
