import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { OPERATORS, OperatorName } from "../../../core/feature/operators.ts";
import type { Json } from "../../../core/json.ts";

interface OperatorCases {
  readonly operator: OperatorName;
  readonly cases: readonly {
    readonly name?: string;
    readonly value?: Json;
    readonly attribute?: Json;
    readonly expected: boolean;
  }[];
  readonly refused_values: readonly Json[];
}

const folder = new URL("../../conformance/operators/", import.meta.url);
const files = readdirSync(folder).map((name): OperatorCases => JSON.parse(readFileSync(new URL(name, folder), "utf8")));

test("every operator has its cases", () => {
  expect(files.map(({ operator }) => operator).toSorted()).toEqual(OperatorName.options.toSorted());
});

describe.each(files)("$operator", ({ operator, cases, refused_values }) => {
  test.each(cases)("$name: value $value, attribute $attribute -> $expected", ({ value, attribute, expected }) => {
    const { compile, missing = false } = OPERATORS[operator];
    const matches = compile(value);
    expect(attribute === undefined || attribute === null ? missing : matches(attribute)).toBe(expected);
  });

  test.each(refused_values.map((value) => ({ value })))("refuses the value $value", ({ value }) => {
    expect(() => OPERATORS[operator].compile(value)).toThrow(/^must be /);
  });
});

test("lists and texts are bounded", () => {
  const many = Array.from({ length: 10_001 }, (_, index) => index);
  expect(() => OPERATORS.in.compile(many)).toThrow("1 to 10000 values");
  expect(() => OPERATORS.equals.compile("x".repeat(1001))).toThrow("at most 1000 characters");
});

test("a pattern runs in linear time", () => {
  const matches = OPERATORS.matches.compile("^(a+)+$");
  expect(matches(`${"a".repeat(50_000)}!`)).toBe(false);
});
