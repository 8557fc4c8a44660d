import { describe, expect, test } from "vitest";
import { fitBestLogistic, fitLogistic } from "../../../core/model/logistic.ts";
import { logisticPredictor } from "../../../core/model/logistic-predictor.ts";
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

describe("fitLogistic() with arms", () => {
  const random = seededRandom(11);
  const [n, columns, count] = [600, 4, 3];
  const interactions = Uint16Array.of(1, 3);
  const x = Float64Array.from({ length: n * columns }, () => 2 * random() - 1);
  const index = Uint8Array.from({ length: n }, () => Math.floor(count * random()));
  const y = Float64Array.from({ length: n }, (_, i) => {
    const effect = index[i] === 1 ? 2 * (x[i * columns + 1] as number) : 0.3;
    return random() < sigmoid(effect - 1) ? 1 : 0;
  });
  const weights = Float64Array.from({ length: n }, () => 0.5 + random());
  const arms = { count, index, interactions };
  /** A row under an arm, written out. */
  const written = (row: number, arm: number) => {
    const own = [...x.subarray(row * columns, (row + 1) * columns)];
    const block = (a: number) => (a === arm ? [1, own[1] as number, own[3] as number] : [0, 0, 0]);
    return [...own, ...block(1), ...block(2)];
  };
  const sparse = fitLogistic({ x, columns, y, weights, arms }, { l2: 1, l2_interactions: 1 });
  const dense = fitLogistic(
    {
      x: Float64Array.from(Array.from({ length: n }, (_, i) => written(i, index[i] as number)).flat()),
      columns: 10,
      y,
      weights,
    },
    { l2: 1 },
  );
  const model = {
    learner: "logistic" as const,
    arms: count,
    interactions: [...interactions],
    coefficients: [...sparse.coefficients],
    intercept: sparse.intercept,
    l2: 1,
    l2_interactions: 1,
    covariance: Array.from({ length: 11 }, (_, i) =>
      Array.from({ length: i + 1 }, (_, j) => sparse.covariance[i * 11 + j] as number),
    ).flat(),
  };

  test("is the fit of the design written out", () => {
    dense.coefficients.forEach((wanted, j) => {
      expect(sparse.coefficients[j]).toBeCloseTo(wanted, 9);
    });
    expect(sparse.intercept).toBeCloseTo(dense.intercept, 9);
    expect(sparse.evidence).toBeCloseTo(dense.evidence, 7);
    dense.covariance.forEach((wanted, i) => {
      expect(sparse.covariance[i]).toBeCloseTo(wanted, 9);
    });
  });

  test("has the errors of arms, and of their differences, that its covariance implies", () => {
    const predictor = logisticPredictor(model);
    const errorOf = (v: readonly number[]) => {
      let variance = 0;
      v.forEach((vi, i) => {
        v.forEach((vj, j) => {
          variance += vi * vj * (dense.covariance[i * 11 + j] as number);
        });
      });
      return Math.sqrt(variance);
    };
    for (const row of [0, 7, 99])
      for (let arm = 0; arm < count; arm++) {
        const v = [...written(row, arm), 1];
        const raw = predictor.raw(x, row * columns, arm);
        const wanted = [...dense.coefficients, dense.intercept].reduce((sum, b, j) => sum + b * (v[j] as number), 0);
        expect(raw).toBeCloseTo(wanted, 9);
        expect(predictor.error(x, row * columns, raw, arm)).toBeCloseTo(errorOf(v), 9);
        for (let other = 0; other < count; other++) {
          const difference = v.map((value, j) => value - ([...written(row, other), 1][j] as number));
          const found = predictor.differenceError(x, row * columns, arm, other);
          expect(found).toBeCloseTo(errorOf(difference), 9);
        }
      }
  });

  test("stays finite where an arm has no positives", () => {
    const none = Float64Array.from(y, (value, i) => (index[i] === 2 ? 0 : value));
    const fit = fitBestLogistic({ x, columns, y: none, arms });
    expect(fit.coefficients.every(Number.isFinite)).toBe(true);
    // The second arm's own coefficient.
    expect(fit.coefficients[7]).toBeLessThan(-1.5);
  });
});

describe("fitBestLogistic() on many rows", () => {
  test("chooses the penalties on a sample, and fits all rows", () => {
    const random = seededRandom(21);
    const [n, columns] = [120_000, 2];
    const x = Float64Array.from({ length: n * columns }, () => 2 * random() - 1);
    const y = Float64Array.from({ length: n }, (_, i) => (random() < sigmoid(x[2 * i] as number) ? 1 : 0));
    const best = fitBestLogistic({ x, columns, y });
    const all = fitLogistic({ x, columns, y }, { l2: best.l2 });
    best.coefficients.forEach((value, j) => {
      expect(value).toBeCloseTo(all.coefficients[j] as number, 8);
    });
    expect(best.iterations).toBeLessThan(all.iterations);
  });
});
