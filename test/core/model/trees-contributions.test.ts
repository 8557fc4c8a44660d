import { describe, expect, test } from "vitest";
import { fitTrees } from "../../../core/model/boost.ts";
import { pathContributions, TreesModel, treesPredictor } from "../../../core/model/tree-predictor.ts";
import { madeUp } from "./made-up-trees.ts";

const problem = madeUp({
  rows: 3000,
  columns: 4,
  arms: 3,
  logOdds: (x, arm) => 2 * (x[0] as number) - (x[1] as number) + (arm === 2 ? 1 : 0),
});
const model = fitTrees(problem, { seed: 1 });

describe("pathContributions()", () => {
  test("adds up to the raw score, whatever the row and the arm", () => {
    const { raw } = treesPredictor(model);
    for (let row = 0; row < 300; row++)
      for (const arm of [0, 1, 2]) {
        const { base, contributions } = pathContributions(model, problem.x, row * 4, arm);
        expect(contributions.length).toBe(5);
        const sum = contributions.reduce((total, each) => total + each, base);
        expect(Math.abs(sum - raw(problem.x, row * 4, arm))).toBeLessThan(1e-9);
      }
  });

  test("gives columns and arms what they are owed", () => {
    const { contributions } = pathContributions(model, Float64Array.of(0.9, 0.9, 0, 0), 0, 2);
    expect(contributions[0]).toBeGreaterThan(0.8);
    expect(contributions[1]).toBeLessThan(-0.4);
    expect(Math.abs(contributions[2] as number)).toBeLessThan(0.2);
    expect(contributions[4]).toBeGreaterThan(0.3);
    expect(pathContributions(model, Float64Array.of(0.9, 0.9, 0, 0), 0, 0).contributions[4]).toBeLessThan(0);
  });
});

describe("TreesModel", () => {
  const tree = { feature: [0, -1, -1], threshold: [0, 0, 0], left: [1, 0, 0], value: [0, -1, 1] };
  const stored = { ...model, trees: [tree], bags: [model.bags[0], model.bags[1]] };

  test("takes a tree whose nodes lead to later ones", () => {
    expect(TreesModel.safeParse(stored).success).toBe(true);
  });

  test.each([
    ["a loop", { ...tree, left: [0, 0, 0] }],
    ["a child that is not there", { ...tree, left: [2, 0, 0] }],
    ["an unknown column", { ...tree, feature: [7, -1, -1] }],
    ["arrays of different lengths", { ...tree, value: [0, 1] }],
    ["no node", { feature: [], threshold: [], left: [], value: [] }],
    ["a number that is none", { ...tree, value: [0, Number.NaN, 1] }],
  ])("refuses %s", (_, broken) => {
    expect(TreesModel.safeParse({ ...stored, trees: [broken] }).success).toBe(false);
    expect(
      TreesModel.safeParse({ ...stored, bags: [{ base: 0, rate: 1, trees: [broken] }, model.bags[1]] }).success,
    ).toBe(false);
  });
});
