import { describe, expect, test } from "vitest";
import { createCalibrationTest } from "../../../core/drift/calibration-test.ts";
import { seededRandom } from "../../../core/model/random.ts";

/** A model whose probabilities are true but for what `truth` does to their odds. */
function run(seed: number, outcomes: number, truth: (odds: number) => number) {
  const random = seededRandom(seed);
  const test = createCalibrationTest();
  let alarmed: number | undefined;
  for (let i = 1; i <= outcomes; i++) {
    const p = 0.02 + 0.4 * random() ** 2;
    const odds = truth(p / (1 - p));
    test.add(p, random() < odds / (1 + odds) ? 1 : 0);
    if (alarmed === undefined && test.result().alarm) alarmed = i;
  }
  return { ...test.result(), alarmed };
}

describe("createCalibrationTest()", () => {
  test("alarms for at most 5 % of calibrated models, looked at after each of 1,500 outcomes", () => {
    const alarms = Array.from({ length: 200 }, (_, seed) => run(seed, 1500, (odds) => odds)).filter(
      ({ alarm }) => alarm,
    );
    expect(alarms.length / 200).toBeLessThanOrEqual(0.05);
  });

  test("alarms for at most 5 % of models at the edge of what is tolerated", () => {
    const alarms = Array.from({ length: 200 }, (_, seed) => run(seed, 1500, (odds) => odds * 1.2)).filter(
      ({ alarm }) => alarm,
    );
    expect(alarms.length / 200).toBeLessThanOrEqual(0.05);
  });

  test.each([1.5, 1 / 1.5])("finds odds that are off by %f", (factor) => {
    const found = Array.from({ length: 40 }, (_, seed) => run(seed, 6000, (odds) => odds * factor));
    expect(found.filter(({ alarm }) => alarm).length).toBeGreaterThanOrEqual(38);
    const soon = found.map(({ alarmed = Number.POSITIVE_INFINITY }) => alarmed).sort((a, b) => a - b);
    expect(soon[20]).toBeLessThan(4000);
  });

  test("finds a model that is too sure of itself though right on average", () => {
    const found = run(1, 20_000, (odds) => 0.12 * (odds / 0.12) ** 0.4);
    expect(found.alarm).toBe(true);
  });

  test("takes outcomes between 0 and 1 without more alarms", () => {
    let alarms = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const test = createCalibrationTest();
      for (let i = 0; i < 1000; i++) {
        const p = 0.1 + 0.2 * random();
        test.add(p, random() < 2 * p ? 0.5 : 0);
      }
      if (test.result().alarm) alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(10);
  });

  test("stays finite with probabilities of 0 and 1", () => {
    const test = createCalibrationTest();
    test.add(0, 1);
    test.add(1, 0);
    expect(Number.isFinite(test.result().log_e)).toBe(true);
    expect(test.result()).toMatchObject({ outcomes: 2, stated: 0.5, observed: 0.5 });
  });
});
