import { describe, expect, test } from "vitest";
import { quantileBins } from "../../../core/drift/bins.ts";
import { chanceOfPsi, psi } from "../../../core/drift/psi.ts";
import { seededRandom } from "../../../core/model/random.ts";
import vectors from "../../conformance/vectors/psi.json" with { type: "json" };

describe("psi() against the vectors", () => {
  test.each(vectors.vectors.map((vector) => [vector.id, vector] as const))("%s", (_, { input, expected }) => {
    const found = psi(input.expectedCounts, input.actualCounts);
    expect(Math.abs(found - expected.psi)).toBeLessThanOrEqual(vectors.tolerance.rel * expected.psi);
  });
});

const quantilesOf = (values: readonly number[], steps: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: steps + 1 }, (_, i) => sorted[Math.round((i / steps) * (sorted.length - 1))] as number);
};
const countIn = (values: readonly number[], { shares, cellOf }: ReturnType<typeof quantileBins>) => {
  const counts = shares.map(() => 0);
  for (const value of values) counts[cellOf(value)] = (counts[cellOf(value)] as number) + 1;
  return counts;
};
const psiOf = (reference: readonly number[], values: readonly number[], steps = 100) => {
  const bins = quantileBins(quantilesOf(reference, steps));
  return psi(
    bins.shares.map((share) => share * reference.length),
    countIn(values, bins),
  );
};

describe("quantileBins()", () => {
  const random = seededRandom(3);
  const many = (make: () => number, n = 4000) => Array.from({ length: n }, make);

  test("gives ten cells of a tenth each where values differ", () => {
    const { shares } = quantileBins(quantilesOf(many(random), 100));
    expect(shares).toHaveLength(10);
    for (const share of shares) expect(Math.abs(share - 0.1)).toBeLessThan(0.006);
  });

  test("gives the same distribution an index near 0, and a shifted one a large index", () => {
    expect(psiOf(many(random), many(random))).toBeLessThan(0.02);
    expect(
      psiOf(
        many(random),
        many(() => random() + 0.3),
      ),
    ).toBeGreaterThan(0.25);
  });

  test("keeps a frequent value in a cell of its own", () => {
    const counts = () => (random() < 0.7 ? 0 : Math.floor(random() * 5));
    expect(psiOf(many(counts), many(counts))).toBeLessThan(0.03);
    const none = () => 1 + Math.floor(random() * 4);
    expect(psiOf(many(counts), many(none))).toBeGreaterThan(1);
    const zeros = () => (random() < 0.4 ? 0 : Math.floor(random() * 5));
    expect(psiOf(many(counts), many(zeros))).toBeGreaterThan(0.1);
  });

  test.each([100, 200])("takes whole numbers for what they are, of %i quantiles", (steps) => {
    for (const most of [2, 3, 5, 7, 10, 30]) {
      const whole = () => Math.floor(random() * most);
      expect(psiOf(many(whole, 20_000), many(whole, 20_000), steps)).toBeLessThan(0.05);
    }
    expect(psiOf(many(random), many(random), steps)).toBeLessThan(0.02);
  });

  test("takes a constant", () => {
    expect(
      psiOf(
        many(() => 5),
        many(() => 5),
      ),
    ).toBeCloseTo(0, 10);
    expect(
      psiOf(
        many(() => 5),
        many(() => 6),
      ),
    ).toBeGreaterThan(1);
    expect(
      psiOf(
        many(() => 5),
        many(() => 4),
      ),
    ).toBeGreaterThan(1);
  });
});

describe("chanceOfPsi()", () => {
  test("is not exceeded by samples of the same distribution, whatever their size", () => {
    const random = seededRandom(11);
    for (const [rows, reference] of [
      [30, 5000],
      [200, 200],
      [1000, 5000],
    ] as const)
      for (let repeat = 0; repeat < 300; repeat++) {
        const draw = (n: number) => {
          const counts = new Array<number>(10).fill(0);
          for (let i = 0; i < n; i++) {
            const cell = Math.floor(random() * 10);
            counts[cell] = (counts[cell] as number) + 1;
          }
          return counts;
        };
        expect(psi(draw(reference), draw(rows))).toBeLessThan(chanceOfPsi(10, rows, reference));
      }
  });

  test("lets 1,000 rows speak below the first limit", () => {
    expect(chanceOfPsi(10, 1000, 10_000)).toBeLessThan(0.1);
  });
});
