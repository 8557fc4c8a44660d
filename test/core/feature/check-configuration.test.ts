import { describe, expect, test } from "vitest";
import { checkConfiguration } from "../../../core/feature/check-configuration.ts";
import type { Condition } from "../../../core/feature/condition.ts";
import type { Feature } from "../../../core/feature/feature.ts";
import type { Segment } from "../../../core/feature/segment.ts";
import { Invalid } from "../../../core/ports.ts";
import { makeFeature, STRATEGIES } from "../../support/make-configuration.ts";

function feature(key: string, when: Condition): Feature {
  return makeFeature({
    key,
    steps: [
      {
        id: "a",
        strategy: "hash-bucketing",
        on_failure: "next",
        when,
        config: { arms: [{ variant: "on", weight: 100 }] },
      },
    ],
  });
}

function ruled(key: string, when: Condition): Feature {
  const config = { rules: [{ when, variant: "on" }] };
  return makeFeature({
    key,
    steps: [{ id: "a", strategy: "rule-filters", on_failure: "next", config: config as never }],
  });
}

function segment(key: string, condition: Condition): Segment {
  return { environment: "production", key, name: key, condition, version: 1, created_at: "", updated_at: "" };
}

function refusal(features: readonly Feature[], segments: readonly Segment[] = []): string {
  try {
    checkConfiguration({ features, segments }, STRATEGIES);
    return "accepted";
  } catch (error) {
    if (error instanceof Invalid) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe("checkConfiguration()", () => {
  test("accepts chains of prerequisites and segments", () => {
    const features = [feature("aaa", { feature: "bbb" }), feature("bbb", { segment: "s1" }), feature("ccc", true)];
    expect(refusal(features, [segment("s1", { segment: "s2" }), segment("s2", { feature: "ccc" })])).toBe("accepted");
  });

  test("names the chain of a prerequisite circle, through steps, configs and segments", () => {
    const features = [feature("aaa", { all: [{ feature: "bbb" }] }), ruled("bbb", { not: { segment: "s1" } })];
    expect(refusal(features, [segment("s1", { any: [{ feature: "aaa" }] })])).toBe(
      "prerequisite_circle: A prerequisite leads back to itself: aaa -> bbb -> aaa",
    );
    expect(refusal([feature("aaa", { feature: "aaa" })])).toContain("aaa -> aaa");
  });

  test("names the chain of a segment circle", () => {
    const segments = [segment("s1", { segment: "s2" }), segment("s2", { not: { segment: "s1" } })];
    expect(refusal([], segments)).toBe("segment_circle: A segment leads back to itself: s1 -> s2 -> s1");
  });

  test("refuses what does not exist", () => {
    expect(refusal([feature("aaa", { feature: "bbb" })])).toContain('Feature "aaa" depends on feature "bbb"');
    expect(refusal([feature("aaa", { segment: "s1" })])).toContain(
      'Feature "aaa" uses segment "s1", which would not exist: create or keep it, or take it out of feature "aaa" first',
    );
    expect(refusal([], [segment("s1", { segment: "s2" })])).toContain('Segment "s1" uses segment "s2"');
    const blue = feature("aaa", { feature: "bbb", variant: ["on", "blue"] });
    expect(refusal([blue, feature("bbb", true)])).toContain('variant "blue" of feature "bbb"');
  });

  test("refuses chains of more than 20, at any size", () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, index) =>
        feature(`f-${index}`, index + 1 === length ? true : { feature: `f-${index + 1}` }),
      );
    expect(refusal(chain(20))).toBe("accepted");
    expect(refusal(chain(21))).toContain("prerequisite_chain");
    expect(refusal(chain(21).toReversed())).toContain("prerequisite_chain");
    expect(refusal(chain(3000).toReversed())).toContain("prerequisite_chain");
  });
});
