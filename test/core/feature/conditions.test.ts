import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { compileCondition } from "../../../core/feature/compile-condition.ts";
import { Condition, completeCondition } from "../../../core/feature/condition.ts";
import type { Json } from "../../../core/json.ts";
import type { Ask, CompiledCondition } from "../../../core/strategy.ts";

const { user, segments, features, off_variant, cases } = read("conditions.json") as {
  user: Record<string, Json>;
  segments: Record<string, Condition>;
  features: Record<string, string>;
  off_variant: string;
  cases: { name: string; condition: unknown; expected: boolean }[];
};
const refused = read("refused.json") as { name: string; condition: unknown; field: string }[];

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../conformance/conditions/${name}`, import.meta.url), "utf8"));
}

const ask: Ask = { user, now: 0, explain: false, profile: undefined, variantOf: (key) => features[key] };

function compile(condition: Condition): CompiledCondition {
  return compileCondition(condition, {
    segment: (key) => (segments[key] === undefined ? undefined : compile(segments[key])),
    offVariant: (key) => (features[key] === undefined ? undefined : off_variant),
    seed: "test#gate",
  });
}

describe("conditions", () => {
  test.each(cases)("$name", ({ condition, expected }) => {
    const compiled = compile(Condition.parse(condition));
    expect(compiled.test(ask)).toBe(expected);
    expect(compiled.explain(ask).result === "yes").toBe(expected);
  });

  test.each(refused)("refuses $name", ({ condition, field }) => {
    const issue = Condition.safeParse(condition).error?.issues[0];
    expect(issue?.path.map((part) => `/${String(part)}`).join("")).toBe(field);
    expect(issue?.message).not.toBe("");
  });

  test("an attribute without a slash is told how to write it", () => {
    const { error } = Condition.safeParse({ attribute: "plan", op: "equals", value: "pro" });
    expect(error?.issues[0]?.message).toContain('write "/plan"');
  });

  test("depth that would overflow a recursive schema is refused, not thrown", () => {
    let deep: unknown = true;
    for (let level = 0; level < 200_000; level += 1) deep = { not: deep };
    expect(Condition.safeParse(deep).success).toBe(false);
  });

  test("more than a thousand conditions are refused", () => {
    const many = Array.from({ length: 999 }, () => true);
    expect(Condition.safeParse({ all: many }).success).toBe(true);
    expect(Condition.safeParse({ all: [...many, true] }).success).toBe(false);
  });

  test("own prototype names are ordinary attributes, inherited ones are missing", () => {
    const own = JSON.parse('{"constructor":"mine"}') as Record<string, Json>;
    const condition = compile({ attribute: "/constructor", op: "equals", value: "mine" });
    expect(condition.test({ ...ask, user: own })).toBe(true);
    expect(condition.test(ask)).toBe(false);
  });

  test("the trace has each condition's value and answer", () => {
    const condition = Condition.parse({
      all: [
        { attribute: "/plan", op: "in", value: ["pro"] },
        { attribute: "/nothing", op: "gt", value: 3 },
      ],
    });
    expect(compile(condition).explain(ask)).toEqual({
      condition: "all",
      result: "no",
      children: [
        { condition: "attribute", result: "yes", attribute: "/plan", op: "in", expected: ["pro"], found: "pro" },
        { condition: "attribute", result: "missing", attribute: "/nothing", op: "gt", expected: 3 },
      ],
    });
  });

  test("completeCondition() writes down unit and seed of every gate", () => {
    const gate = { percentage: 10 } as never;
    expect(completeCondition({ any: [{ not: { gate } }] }, "checkout#gate")).toEqual({
      any: [
        {
          not: {
            gate: {
              percentage: 10,
              unit: ["user_id"],
              bucketing: { algorithm: "murmur3-v1", seed: "checkout#gate", buckets: 100_000 },
            },
          },
        },
      ],
    });
  });

  test("has a JSON Schema", () => {
    expect(z.toJSONSchema(Condition)).toHaveProperty("description");
  });
});
