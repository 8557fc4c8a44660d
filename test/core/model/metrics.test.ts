import { describe, expect, test } from "vitest";
import { bestThresholdByF1, probabilityMetrics, rocAuc, thresholdMetrics } from "../../../core/model/metrics.ts";
import { close, vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly input: { readonly y: number[]; readonly p: number[] };
  readonly expected: { auc: number; logLoss: number; brier: number; averagePrecision: number; ece10: number };
}

describe("probabilityMetrics()", () => {
  test.each(vectors<Case>("classification_metrics"))("agrees with scikit-learn on $id", ({ input, expected }) => {
    const found = probabilityMetrics(input.y, input.p);
    const pairs: [number | null, number][] = [
      [found.roc_auc, expected.auc],
      [found.log_loss, expected.logLoss],
      [found.brier, expected.brier],
      [found.average_precision, expected.averagePrecision],
      [found.ece, expected.ece10],
    ];
    for (const [actual, wanted] of pairs)
      expect(close(actual as number, wanted, { rel: 1e-9, abs: 1e-12 }), `${actual} is ${wanted}`).toBe(true);
  });
});

describe("rocAuc()", () => {
  test("is null when there is one class only", () => {
    expect(rocAuc([1, 1], [0.2, 0.8])).toBeNull();
  });
});

describe("thresholdMetrics()", () => {
  test("counts a score at the threshold as yes", () => {
    expect(thresholdMetrics([1, 0, 1, 0], [0.5, 0.5, 0.4, 0.1], 0.5)).toEqual({
      accuracy: 0.5,
      precision: 0.5,
      recall: 0.5,
      f1_score: 0.5,
      confusion_matrix: { true_negative: 1, false_positive: 1, false_negative: 1, true_positive: 1 },
    });
  });

  test("is 0, not NaN, where nothing is predicted", () => {
    expect(thresholdMetrics([0, 0], [0.1, 0.2], 0.9)).toMatchObject({ precision: 0, recall: 0, f1_score: 0 });
  });
});

describe("bestThresholdByF1()", () => {
  test("finds what trying every score finds", () => {
    const y = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1];
    const p = [0.1, 0.3, 0.3, 0.35, 0.8, 0.6, 0.2, 0.9, 0.4, 0.4];
    const f1 = (threshold: number) => thresholdMetrics(y, p, threshold).f1_score;
    expect(f1(bestThresholdByF1(y, p))).toBe(Math.max(...p.map(f1)));
  });
});
