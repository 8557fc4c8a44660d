import { describe, expect, test } from "vitest";
import { rowAt } from "../../../core/model/dataset.ts";
import { START, shopExamples } from "./made-up-shop.ts";
import { trialDataset, trialExamples } from "./made-up-trial.ts";

describe("datasetBuilder()", () => {
  test("keeps every row until there are too many, then the same units whatever their order, with all their rows", () => {
    const examples = trialExamples({ users: 1000 }).flatMap((example) => [
      example,
      { ...example, at: example.at + 86_400_000 },
    ]);
    const whole = trialDataset(examples);
    expect([whole.rows, whole.source.sampled]).toEqual([2000, 1]);
    const [forth, back] = [examples, [...examples].reverse()].map((all) => trialDataset(all, { max_rows: 700 }));
    expect(forth?.source).toMatchObject({ sampled: 0.25, sampled_from: 2000 });
    expect(forth?.rows).toBeLessThanOrEqual(700);
    expect(forth?.rows).toBeGreaterThan(350);
    expect(new Set(forth?.unit_names)).toEqual(new Set(back?.unit_names));
    expect(forth?.rows).toBe(2 * (forth?.unit_names.length ?? 0));
  });

  test("holds of the rows it keeps what they were added with", () => {
    const examples = trialExamples({ users: 1000, amounts: true });
    const dataset = trialDataset(examples, { max_rows: 300 });
    expect(dataset.rows).toBeGreaterThan(100);
    const byUnit = new Map(examples.map((example) => [example.unit, example]));
    for (let row = 0; row < dataset.rows; row++) {
      const example = byUnit.get(dataset.unit_names[dataset.units[row] as number] as string);
      const known = Object.entries(example?.row ?? {}).filter(([, value]) => value !== null);
      expect(rowAt(dataset, row)).toEqual(Object.fromEntries(known));
      expect({
        at: dataset.at[row],
        label: dataset.labels[row] === 1,
        value: dataset.values[row],
        arm: dataset.arms?.[dataset.arm?.[row] ?? -1],
        probability: dataset.probability?.[row],
      }).toEqual({
        at: example?.at,
        label: example?.label,
        value: example?.value,
        arm: example?.arm,
        probability: example?.probability,
      });
    }
  });

  test("gives rows back with booleans, strings and numbers as they were, and what is missing missing", () => {
    const examples = shopExamples({ users: 50 }).map((example) => ({ ...example, arm: "off", probability: 0.5 }));
    const dataset = trialDataset(examples);
    examples.forEach(({ row }, i) => {
      const back = rowAt(dataset, i);
      for (const [name, value] of Object.entries(row)) if (value !== null) expect(back[name], name).toBe(value);
    });
  });

  test("leaves out what was served of variants that are not asked about", () => {
    const examples = trialExamples({ users: 90 });
    const dataset = trialDataset(examples.map((example, i) => (i % 3 === 0 ? { ...example, arm: "gone" } : example)));
    expect(dataset.rows).toBe(60);
    expect(dataset.at[0]).toBe(START + 60_000);
  });
});
