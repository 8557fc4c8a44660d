import { describe, expect, test } from "vitest";
import { fitTrees } from "../../../core/model/boost.ts";
import type { Problem } from "../../../core/model/problem.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";
import { treesPredictor } from "../../../core/model/tree-predictor.ts";
import { madeUp } from "./made-up-trees.ts";

/** Arm 1 helps where the first column is above 0, and nowhere else; arm 2 does nothing. */
const inOneSegment = (x: readonly number[], arm: number) =>
  -1 + (x[1] as number) + (arm === 1 && (x[0] as number) > 0 ? 1.2 : 0);

const COLUMNS = 4;
const points = madeUp({ rows: 200, columns: COLUMNS, seed: 99, logOdds: () => 0 }).x;

function meanDifference(model: ReturnType<typeof fitTrees>, arm: number, segment: boolean) {
  const { raw, differenceError } = treesPredictor(model);
  const offsets = Array.from({ length: 200 }, (_, i) => i * COLUMNS).filter(
    (at) => (points[at] as number) > 0 === segment,
  );
  const mean = (of: (at: number) => number) => offsets.reduce((sum, at) => sum + of(at), 0) / offsets.length;
  return {
    probability: mean((at) => sigmoid(raw(points, at, arm)) - sigmoid(raw(points, at, 0))),
    error: mean((at) => differenceError(points, at, arm, 0)),
    truth: mean((at) => {
      const x = [...points.subarray(at, at + COLUMNS)];
      return sigmoid(inOneSegment(x, arm)) - sigmoid(inOneSegment(x, 0));
    }),
  };
}

/** Every row several times, one copy after the other, with the weight of one together. */
function repeated({ x, columns, y, arms }: Problem, times: number): Problem {
  const row = (i: number) => Math.floor(i / times);
  const rows = y.length * times;
  return {
    x: Float64Array.from(
      { length: rows * columns },
      (_, i) => x[row(Math.floor(i / columns)) * columns + (i % columns)] as number,
    ),
    columns,
    y: Float64Array.from({ length: rows }, (_, i) => y[row(i)] as number),
    weights: new Float64Array(rows).fill(1 / times),
    ...(arms
      ? { arms: { ...arms, index: Uint8Array.from({ length: rows }, (_, i) => arms.index[row(i)] as number) } }
      : {}),
  };
}

describe("fitTrees() with arms", () => {
  test.each([2, 3])("finds, of %i arms, an effect that is there in one segment only", (arms) => {
    const model = fitTrees(madeUp({ rows: 9000, columns: COLUMNS, arms, logOdds: inOneSegment }), { seed: 1 });
    const [inside, outside] = [true, false].map((segment) => meanDifference(model, 1, segment));
    expect(inside?.truth).toBeGreaterThan(0.2);
    expect(Math.abs((inside?.probability ?? 0) - (inside?.truth ?? 0))).toBeLessThan(0.06);
    expect(Math.abs(outside?.probability ?? 1)).toBeLessThan(0.04);
    if (arms === 3) expect(Math.abs(meanDifference(model, 2, true).probability)).toBeLessThan(0.04);
  });

  test("is surer of a difference the more rows there are", () => {
    const errors = [500, 2000, 8000, 20_000].map((rows) => {
      const model = fitTrees(madeUp({ rows, columns: COLUMNS, arms: 2, logOdds: inOneSegment }), { seed: 1 });
      expect(model.bag_scale).toBeCloseTo(Math.sqrt(Math.min(1, 10_000 / rows)), 9);
      return meanDifference(model, 1, true).error;
    });
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(errors[3]).toBeLessThan((errors[1] as number) / 1.5);
  });

  test("is no surer when every row is there four times, if it is told whose they are", () => {
    const once = madeUp({ rows: 1000, columns: COLUMNS, arms: 2, logOdds: inOneSegment });
    const often = repeated(once, 4);
    const units = Int32Array.from(often.y, (_, row) => Math.floor(row / 4));
    const [told, untold, plain] = [
      fitTrees(often, { seed: 1, units }),
      fitTrees(often, { seed: 1 }),
      fitTrees(once, { seed: 1 }),
    ] as const;
    const errorOf = (model: typeof told) => meanDifference(model, 1, true).error;
    expect(errorOf(told)).toBeGreaterThan(errorOf(plain) / 1.35);
    expect(errorOf(told)).toBeLessThan(errorOf(plain) * 1.35);
    // Untold, its own rows tell it to go on: it learns them by heart, and its error is still of a sane size.
    expect(untold.trees.length).toBeGreaterThan(2 * told.trees.length);
    expect(errorOf(untold)).toBeLessThan(3 * errorOf(plain));
  });

  test("knows no arms when there are none", () => {
    const model = fitTrees(madeUp({ rows: 1000, columns: 2, logOdds: (x) => x[0] as number }), { seed: 1 });
    expect(model.arms).toBe(1);
    const { raw, differenceError } = treesPredictor(model);
    expect(raw(points, 0, 1)).toBe(raw(points, 0, 0));
    expect(differenceError(points, 0, 1, 0)).toBe(0);
  });
});
