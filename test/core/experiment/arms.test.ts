import { describe, expect, test } from "vitest";
import { planArms } from "../../../core/experiment/arms.ts";

const boolean = { key: "checkout", variants: { off: false, on: true }, off_variant: "off" };
const colours = { key: "button", variants: { grey: "#888", blue: "#00f", green: "#0f0" }, off_variant: "grey" };

describe("planArms()", () => {
  test("compares the off variant with the other one, half and half", () => {
    expect(planArms(boolean, undefined)).toEqual([
      { name: "A", variant: "off", weight: 50 },
      { name: "B", variant: "on", weight: 50 },
    ]);
  });

  test("names arms by order, and takes one variant in two arms (an A/A test)", () => {
    const arms = [
      { variant: "grey", weight: 33.333 },
      { variant: "grey", weight: 33.333 },
      { variant: "green", weight: 33.334 },
    ];
    expect(planArms(colours, arms).map(({ name }) => name)).toEqual(["A", "B", "C"]);
  });

  test("does not guess among several variants", () => {
    expect(() => planArms(colours, undefined)).toThrow('has 2 variants besides "grey"');
    expect(() => planArms({ ...boolean, variants: { off: false } }, undefined)).toThrow("has 0 variants");
  });

  test("refuses undeclared variants, inherited names too, and weights that do not sum", () => {
    const half = { variant: "on", weight: 50 };
    expect(() => planArms(boolean, [half, { variant: "blue", weight: 50 }])).toThrow('no variant "blue"');
    expect(() => planArms(boolean, [half, { variant: "toString", weight: 50 }])).toThrow('no variant "toString"');
    expect(() => planArms(boolean, [half, { variant: "off", weight: 49 }])).toThrow("not 99");
  });
});
