import { describe, expect, test } from "vitest";
import { splitDataset } from "../../../core/model/split-dataset.ts";
import { datasetOf, START, shopExamples } from "./made-up-shop.ts";

describe("splitDataset()", () => {
  test("puts every train moment before every calibration moment, and those before validation", () => {
    const dataset = datasetOf(shopExamples({ users: 500 }).reverse());
    const split = splitDataset(dataset);
    const times = (rows: Uint32Array) => Array.from(rows, (row) => dataset.at[row] as number);
    expect(split.by).toBe("time");
    expect(Math.max(...times(split.train))).toBeLessThan(Math.min(...times(split.calibration)));
    expect(Math.max(...times(split.calibration))).toBeLessThan(Math.min(...times(split.validation)));
    expect([split.train.length, split.calibration.length, split.validation.length]).toEqual([300, 100, 100]);
  });

  test("keeps a unit of two slices in the earliest only", () => {
    const examples = shopExamples({ users: 500 });
    const last = examples.at(-1);
    if (last === undefined) throw new Error("Expected examples");
    const dataset = datasetOf([...examples, { ...last, unit: examples[0]?.unit ?? "" }]);
    const split = splitDataset(dataset);
    expect(split.left_out).toBe(1);
    expect(split.validation).not.toContain(500);
  });

  test("splits by the unit's hash where all moments are the same, a unit's moments together", () => {
    const examples = shopExamples({ users: 500 }).flatMap((example) => [
      { ...example, at: START },
      { ...example, at: START },
    ]);
    const dataset = datasetOf(examples);
    const split = splitDataset(dataset);
    expect(split.by).toBe("unit");
    const units = (rows: Uint32Array) => new Set(Array.from(rows, (row) => dataset.units[row]));
    const shared = (a: Uint32Array, b: Uint32Array) => [...units(a)].filter((unit) => units(b).has(unit));
    expect(shared(split.train, split.validation)).toEqual([]);
    expect(shared(split.calibration, split.validation)).toEqual([]);
    expect(split.train.length + split.calibration.length + split.validation.length).toBe(1000);
    expect(split.validation.length).toBeGreaterThan(120);
  });

  test("splits by unit where the same users come back all the time", () => {
    const examples = shopExamples({ users: 600 }).map((example, i) => ({ ...example, unit: `u${i % 60}` }));
    expect(splitDataset(datasetOf(examples)).by).toBe("unit");
  });

  test("keeps a split that is given", () => {
    const slices = ["train", "validation", "calibration"] as const;
    const examples = shopExamples({ users: 60 }).map((example, i) => ({ ...example, slice: slices[i % 3] }));
    const split = splitDataset(datasetOf(examples));
    expect(split.by).toBe("given");
    expect([...split.validation].every((row) => row % 3 === 1)).toBe(true);
  });
});
