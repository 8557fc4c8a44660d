import { expect, test } from "vitest";
import { heldOutReport } from "../../../core/model/held-out-report.ts";

test("heldOutReport() says for each tenth of the rows what was stated and what was observed", () => {
  const probabilities = Float64Array.from({ length: 200 }, (_, i) => i / 200);
  const outcomes = probabilities.map((p) => (p >= 0.5 ? 1 : 0));
  const { calibration_curve } = heldOutReport(outcomes, probabilities);
  expect(calibration_curve).toHaveLength(10);
  expect(calibration_curve.every(({ rows }) => rows === 20)).toBe(true);
  expect(calibration_curve[0]).toEqual({ rows: 20, stated: 0.0475, observed: 0 });
  expect(calibration_curve[9]).toEqual({ rows: 20, stated: 0.9475, observed: 1 });
});

test("heldOutReport() keeps rows of one probability together, whatever their order", () => {
  const [low, high] = [Array(70).fill(0.2), Array(30).fill(0.7)];
  const outcomes = [...Array(70).fill(0).fill(1, 0, 14), ...Array(30).fill(0).fill(1, 0, 21)];
  const one = heldOutReport(Float64Array.from(outcomes), Float64Array.from([...low, ...high]));
  expect(one.calibration_curve).toEqual([
    { rows: 70, stated: 0.2, observed: 0.2 },
    { rows: 30, stated: 0.7, observed: 0.7 },
  ]);
  const back = heldOutReport(Float64Array.from(outcomes.toReversed()), Float64Array.from([...high, ...low]));
  expect(back).toEqual(one);
});

test("heldOutReport() gives the probabilities at evenly spaced quantiles, of a single row too", () => {
  const probabilities = Float64Array.from({ length: 101 }, (_, i) => (100 - i) / 100);
  const { probability_quantiles } = heldOutReport(new Float64Array(101), probabilities);
  expect(probability_quantiles).toHaveLength(51);
  expect([probability_quantiles[0], probability_quantiles[25], probability_quantiles[50]]).toEqual([0, 0.5, 1]);
  const single = heldOutReport(Float64Array.of(1), Float64Array.of(0.3));
  expect(single.calibration_curve).toEqual([{ rows: 1, stated: 0.3, observed: 1 }]);
});
