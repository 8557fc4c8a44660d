import { describe, expect, test } from "vitest";
import { probabilityBest } from "../../../core/experiment/probability-best.ts";
import vectors from "../../conformance/vectors/beta_binomial.json" with { type: "json" };

describe("probabilityBest()", () => {
  test.each(vectors.vectors)("meets the reference: $id", ({ input: { control, treatment }, expected }) => {
    const arms = [control, treatment].map(({ n, sum }) => ({ users: n, positives: sum }));
    const [a, b] = probabilityBest(arms) as [number, number];
    expect(Math.abs(b - expected.chanceToWin)).toBeLessThan(0.0005);
    expect(a + b).toBeCloseTo(1, 12);
  });

  test("is shared evenly by arms that are alike, users or none", () => {
    for (const arm of [
      { users: 0, positives: 0 },
      { users: 400, positives: 0 },
      { users: 90, positives: 30 },
    ])
      for (const one of probabilityBest([arm, arm, arm])) expect(one).toBeCloseTo(1 / 3, 3);
  });

  test("is sure where the rates lie far apart, however unequal the arms are", () => {
    const arms = [
      { users: 1_000_000, positives: 100_000 },
      { users: 60, positives: 55 },
    ];
    expect(probabilityBest(arms)[1]).toBeCloseTo(1, 6);
    const close = [
      { users: 2_000_000, positives: 1_000_000 },
      { users: 20, positives: 10 },
    ];
    expect(probabilityBest(close)[1]).toBeCloseTo(0.5, 3);
  });
});
