import { describe, expect, test } from "vitest";
import { fitBestLogistic, fitLogistic } from "../../../core/model/logistic.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";
import { close, vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly X: number[][];
    readonly y: number[];
    readonly weights: number[] | null;
    readonly l2: number;
  };
  readonly expected: {
    readonly mean: number[];
    readonly sd: number[];
    readonly coefStandardized: number[];
    readonly intercept: number;
    readonly firstFivePredictions: number[];
    readonly logitStdErrRow0: number;
  };
}

const TOLERANCE = { rel: 1e-6, abs: 1e-7 };

describe("fitLogistic()", () => {
  test.each(vectors<Case>("logistic_regression"))("agrees with scikit-learn on $id", ({ input, expected }) => {
    const columns = expected.mean.length;
    const standardised = input.X.map((row) =>
      row.map((value, j) => (value - (expected.mean[j] as number)) / (expected.sd[j] as number)),
    );
    const fit = fitLogistic(
      {
        x: Float64Array.from(standardised.flat()),
        columns,
        y: Float64Array.from(input.y),
        weights: input.weights === null ? undefined : Float64Array.from(input.weights),
      },
      { l2: input.l2 },
    );
    expect(close(fit.intercept, expected.intercept, TOLERANCE)).toBe(true);
    expected.coefStandardized.forEach((wanted, j) => {
      expect(close(fit.coefficients[j] as number, wanted, TOLERANCE), `coefficient ${j}`).toBe(true);
    });
    expected.firstFivePredictions.forEach((wanted, i) => {
      const z = (standardised[i] as number[]).reduce(
        (sum, x, j) => sum + x * (fit.coefficients[j] as number),
        fit.intercept,
      );
      expect(close(sigmoid(z), wanted, TOLERANCE), `prediction ${i}`).toBe(true);
    });
    const row = [...(standardised[0] as number[]), 1];
    const size = columns + 1;
    let variance = 0;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        variance += (row[i] as number) * (row[j] as number) * (fit.covariance[i * size + j] as number);
    expect(close(Math.sqrt(variance), expected.logitStdErrRow0, TOLERANCE), "standard error").toBe(true);
  });

  test("stays finite where one column separates the classes", () => {
    const fit = fitLogistic(
      { x: Float64Array.of(-1, -1, 1, 1), columns: 1, y: Float64Array.of(0, 0, 1, 1) },
      { l2: 1e-6 },
    );
    expect(fit.coefficients.every(Number.isFinite)).toBe(true);
    expect(fit.coefficients[0]).toBeGreaterThan(5);
  });

  test("is the base rate without columns", () => {
    const fit = fitLogistic({ x: new Float64Array(0), columns: 0, y: Float64Array.of(1, 0, 0, 0) });
    expect(sigmoid(fit.intercept)).toBeCloseTo(0.25, 9);
  });
});

describe("fitBestLogistic()", () => {
  test("shrinks columns that say nothing more than columns that say something", () => {
    const random = seededRandom(3);
    const n = 400;
    const x = Float64Array.from({ length: n * 5 }, () => 2 * random() - 1);
    const noise = fitBestLogistic({
      x,
      columns: 5,
      y: Float64Array.from({ length: n }, () => (random() < 0.3 ? 1 : 0)),
    });
    const signal = fitBestLogistic({
      x,
      columns: 5,
      y: Float64Array.from({ length: n }, (_, i) => (random() < sigmoid(3 * (x[i * 5] as number)) ? 1 : 0)),
    });
    expect(noise.l2).toBeGreaterThan(signal.l2);
    expect(Math.max(...noise.coefficients.map(Math.abs))).toBeLessThan(0.1);
  });
});
