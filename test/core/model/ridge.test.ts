import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../core/model/random.ts";
import { fitRidge, newRidge, RidgeModel, updateRidge } from "../../../core/model/ridge.ts";
import { ridgePredictor } from "../../../core/model/ridge-predictor.ts";

const COLUMNS = 6;
const ARMS = 3;

/** Two columns are nearly the same, as in real data. Arm a is worth 0.2 + 0.1 a, and arm 2 more with the first column. */
function outcomes(rows: number) {
  const random = seededRandom(5);
  const gauss = () => (random() + random() + random() + random() - 2) * Math.sqrt(3);
  const x = new Float64Array(rows * COLUMNS);
  const index = new Uint8Array(rows);
  const y = new Float64Array(rows);
  const weights = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < COLUMNS; j++) x[row * COLUMNS + j] = gauss();
    x[row * COLUMNS + 1] = (x[row * COLUMNS] as number) + 0.01 * gauss();
    index[row] = Math.floor(ARMS * random());
    const rate = 0.2 + 0.1 * (index[row] as number) + (index[row] === 2 ? 0.1 * (x[row * COLUMNS] as number) : 0);
    y[row] = random() < rate ? 1 : 0;
    weights[row] = 1 / (1 + Math.floor(3 * random()));
  }
  return { x, columns: COLUMNS, y, weights, arms: { count: ARMS, index, interactions: new Uint16Array(0) } };
}

function learn(state: RidgeModel, { x, y, weights, arms }: ReturnType<typeof outcomes>, from: number, to: number) {
  for (let row = from; row < to; row++)
    updateRidge(state, x, row * COLUMNS, arms.index[row] as number, y[row] as number, weights[row]);
}

describe("updateRidge()", () => {
  test("comes to what a fit of all rows at once is, within 1e-9 after 30,000 outcomes", () => {
    const problem = outcomes(30_000);
    const state = newRidge(COLUMNS, ARMS, 1);
    learn(state, problem, 0, 30_000);
    const batch = fitRidge(problem, 1);
    for (const arm of [0, 1, 2]) {
      const [one, all] = [state.arms[arm], batch.arms[arm]];
      expect(one?.n).toBe(all?.n);
      one?.inverse.forEach((value, k) => {
        expect(Math.abs(value - (all?.inverse[k] as number))).toBeLessThan(1e-9);
      });
    }
    const [online, offline] = [ridgePredictor(state), ridgePredictor(batch)];
    for (let row = 0; row < 200; row++)
      for (const arm of [0, 1, 2]) {
        const at = row * COLUMNS;
        expect(Math.abs(online.mean(problem.x, at, arm) - offline.mean(problem.x, at, arm))).toBeLessThan(1e-9);
        expect(Math.abs(online.variance(problem.x, at, arm) - offline.variance(problem.x, at, arm))).toBeLessThan(1e-9);
      }
  });

  test("goes on where it was stored", () => {
    const problem = outcomes(400);
    const whole = newRidge(COLUMNS, ARMS);
    learn(whole, problem, 0, 400);
    const first = newRidge(COLUMNS, ARMS);
    learn(first, problem, 0, 200);
    const second = RidgeModel.parse(JSON.parse(JSON.stringify(first)));
    learn(second, problem, 200, 400);
    expect(second).toEqual(whole);
  });

  test("leaves the other arms alone, and refuses one that is not there", () => {
    const state = newRidge(1, 2);
    updateRidge(state, Float64Array.of(1), 0, 1, 1);
    expect(state.arms[0]).toEqual(newRidge(1, 2).arms[0]);
    expect(state.arms[1]).toMatchObject({ n: 1, weight: 1, sum_squares: 1, b: [1, 1] });
    expect(() => updateRidge(state, Float64Array.of(1), 0, 2, 1)).toThrow("Cannot learn of arm 2: the model has 2");
  });
});

describe("ridgePredictor()", () => {
  test("finds the arms' rates, and in whom they differ", () => {
    const problem = outcomes(30_000);
    const predictor = ridgePredictor(fitRidge(problem));
    const middle = new Float64Array(COLUMNS);
    const high = Float64Array.of(1, 1, 0, 0, 0, 0);
    expect(predictor.mean(middle, 0, 0)).toBeCloseTo(0.2, 1);
    expect(predictor.mean(middle, 0, 2)).toBeCloseTo(0.4, 1);
    expect(predictor.mean(high, 0, 2) - predictor.mean(middle, 0, 2)).toBeCloseTo(0.1, 1);
    expect(predictor.mean(high, 0, 0) - predictor.mean(middle, 0, 0)).toBeCloseTo(0, 1);
  });

  test("is the sample mean and its standard error where there are no columns", () => {
    const y = Float64Array.from({ length: 1000 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    const predictor = ridgePredictor(fitRidge({ x: new Float64Array(0), columns: 0, y }));
    expect(predictor.mean(new Float64Array(0), 0, 0)).toBeCloseTo(0.2, 4);
    expect(predictor.variance(new Float64Array(0), 0, 0)).toBeCloseTo((0.2 * 0.8) / 1000, 6);
  });

  test("covers the truth as often as its errors say", () => {
    let inside = 0;
    const random = seededRandom(9);
    for (let run = 0; run < 400; run++) {
      const x = Float64Array.from({ length: 300 }, () => 2 * random() - 1);
      const y = x.map((value) => (random() < 0.4 + 0.2 * value ? 1 : 0));
      const predictor = ridgePredictor(fitRidge({ x, columns: 1, y }, 1));
      const at = Float64Array.of(0.5);
      const z = (predictor.mean(at, 0, 0) - 0.5) / Math.sqrt(predictor.variance(at, 0, 0));
      if (Math.abs(z) < 1.96) inside++;
    }
    expect(inside / 400).toBeGreaterThan(0.92);
    expect(inside / 400).toBeLessThan(0.98);
  });

  test("knows nothing before the first outcome, and says so", () => {
    const predictor = ridgePredictor(newRidge(2, 2));
    const x = Float64Array.of(0.3, -0.2);
    expect(predictor.mean(x, 0, 0)).toBe(0);
    expect(predictor.variance(x, 0, 0)).toBeGreaterThan(1);
    expect(Number.isFinite(predictor.differenceError(x, 0, 0, 1))).toBe(true);
  });

  test("tells errors on the scale of log odds", () => {
    const problem = outcomes(5000);
    const predictor = ridgePredictor(fitRidge(problem));
    const raw = predictor.raw(problem.x, 0, 1);
    const error = predictor.error(problem.x, 0, raw, 1);
    const step = 1e-6;
    const slope = (predictor.logOdds(raw + step) - predictor.logOdds(raw - step)) / (2 * step);
    expect(error).toBeCloseTo(slope * Math.sqrt(predictor.variance(problem.x, 0, 1)), 6);
    const other = predictor.error(problem.x, 0, predictor.raw(problem.x, 0, 0), 0);
    expect(predictor.differenceError(problem.x, 0, 1, 0)).toBeCloseTo(Math.hypot(error, other), 9);
    expect(predictor.logOdds(2)).toBeLessThan(10);
  });
});
