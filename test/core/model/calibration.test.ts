import { describe, expect, test } from "vitest";
import {
  type Calibration,
  calibrator,
  chooseCalibration,
  fitIsotonic,
  fitPlatt,
  scoreAt,
} from "../../../core/model/calibration.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";
import { close, vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly input: { readonly scores: number[]; readonly y: number[]; readonly query: number[] };
  readonly expected: { isotonic: number[]; plattA: number; plattB: number; platt: number[] };
}

describe("fitIsotonic()", () => {
  test.each(vectors<Case>("calibration"))("agrees with scikit-learn on $id", ({ input, expected }) => {
    const calibrate = calibrator({ ...fitIsotonic(input.scores, input.y), floor: 0 });
    input.query.forEach((score, i) => {
      expect(calibrate(score)).toBeCloseTo(expected.isotonic[i] as number, 9);
    });
  });

  test("promises neither never nor always", () => {
    const calibrate = calibrator(fitIsotonic([1, 2, 3, 4], [0, 0, 1, 1]));
    expect([calibrate(0), calibrate(9)]).toEqual([1 / 6, 5 / 6]);
  });
});

describe("fitPlatt()", () => {
  test.each(vectors<Case>("calibration"))("agrees with scikit-learn on $id", ({ input, expected }) => {
    const platt = fitPlatt(input.scores, input.y);
    expect(close(platt.a, expected.plattA, { rel: 1e-3 }), `a: ${platt.a} is ${expected.plattA}`).toBe(true);
    expect(close(platt.b, expected.plattB, { rel: 1e-3, abs: 1e-3 }), `b: ${platt.b} is ${expected.plattB}`).toBe(true);
    const calibrate = calibrator(platt);
    input.query.forEach((score, i) => {
      expect(close(calibrate(score), expected.platt[i] as number, { abs: 1e-3 })).toBe(true);
    });
  });
});

describe("fitPlatt() of scores that order the outcomes the wrong way round", () => {
  test("gives everybody the rate of the slice", () => {
    const calibrate = calibrator(fitPlatt([-1, -1, -1, -1.02, 3, 3, 3, 3], [1, 1, 0, 0, 0, 0, 0, 0]));
    for (const score of [-1, 0, 3]) expect(calibrate(score)).toBeCloseTo(3 / 10, 4);
  });
});

describe("chooseCalibration()", () => {
  const draw = (n: number, shape: (z: number) => number) => {
    const random = seededRandom(7);
    const scores = Array.from({ length: n }, () => 6 * random() - 3);
    return { scores, labels: scores.map((z) => (random() < shape(z) ? 1 : 0)) };
  };

  test("leaves log odds alone that are calibrated already", () => {
    const { scores, labels } = draw(3000, sigmoid);
    expect(chooseCalibration(scores, labels, { log_odds: true }).method).toBe("none");
  });

  test("scales log odds that are too sure", () => {
    const { scores, labels } = draw(3000, (z) => sigmoid(z / 3));
    expect(chooseCalibration(scores, labels, { log_odds: true }).method).toBe("platt");
  });

  test("takes isotonic regression where a sigmoid does not fit, given 200 positives", () => {
    const steps = (z: number) => (z < 0 ? 0.02 : z < 1 ? 0.5 : 0.55);
    const many = draw(3000, steps);
    expect(chooseCalibration(many.scores, many.labels, { log_odds: false }).method).toBe("isotonic");
    const few = draw(300, steps);
    expect(chooseCalibration(few.scores, few.labels, { log_odds: false }).method).toBe("platt");
  });
});

describe("scoreAt()", () => {
  const maps: Calibration[] = [
    { method: "none" },
    { method: "platt", a: -1.7, b: 0.4, covariance: [1, 0, 1] },
    { method: "isotonic", scores: [-1, 0, 1, 2], probabilities: [0.1, 0.4, 0.4, 0.9], floor: 0.01 },
  ];
  test.each(maps)("is the lowest score that reaches the probability: $method", (map) => {
    const calibrate = calibrator(map);
    for (const probability of [0.15, 0.4, 0.41, 0.85]) {
      const score = scoreAt(map, probability);
      expect(calibrate(score)).toBeCloseTo(probability, 12);
      expect(calibrate(score - 1e-6)).toBeLessThan(probability);
    }
    expect(scoreAt(map, 0)).toBe(Number.NEGATIVE_INFINITY);
    expect(scoreAt(map, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});
