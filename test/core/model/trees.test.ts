import { describe, expect, test } from "vitest";
import { fitTrees } from "../../../core/model/boost.ts";
import { fitLogistic } from "../../../core/model/logistic.ts";
import type { Problem } from "../../../core/model/problem.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";
import { TreesModel, treesPredictor } from "../../../core/model/tree-predictor.ts";
import { lossOf, madeUp } from "./made-up-trees.ts";

/** Whether exactly one of two columns is above 0: nothing for a sum of columns. */
const xor = (x: readonly number[]) => ((x[0] as number) > 0 !== (x[1] as number) > 0 ? 1.5 : -1.5);

function lossOfModel(model: TreesModel, problem: Problem): number {
  const { raw } = treesPredictor(model);
  return lossOf(problem, (row) => raw(problem.x, row * problem.columns, problem.arms?.index[row] ?? 0));
}

/** Every row as often as it is said to be there. */
function repeated(problem: Problem, rows: (row: number) => number): Problem {
  const copies = Array.from(problem.y, (_, row) => new Array<number>(rows(row)).fill(row)).flat();
  return {
    columns: problem.columns,
    x: Float64Array.from(
      copies.flatMap((row) => [...problem.x.subarray(row * problem.columns, (row + 1) * problem.columns)]),
    ),
    y: Float64Array.from(copies, (row) => problem.y[row] as number),
  };
}

describe("fitTrees()", () => {
  test("finds an interaction that no linear model can", () => {
    const train = madeUp({ rows: 3000, columns: 3, logOdds: xor });
    const held = madeUp({ rows: 2000, columns: 3, logOdds: xor, seed: 2 });
    const linear = fitLogistic(train, { l2: 1 });
    const ofLinear = lossOf(held, (row) =>
      linear.coefficients.reduce((sum, b, j) => sum + b * (held.x[row * 3 + j] as number), linear.intercept),
    );
    const truth = lossOf(held, (row) => xor([...held.x.subarray(row * 3, row * 3 + 3)]));
    expect(ofLinear).toBeGreaterThan(0.68);
    expect(lossOfModel(fitTrees(train, { seed: 1 }), held)).toBeLessThan(truth + 0.02);
  });

  test("lowers the training loss with every tree", () => {
    const train = madeUp({ rows: 1500, columns: 4, logOdds: xor });
    const model = fitTrees(train, { seed: 1 });
    const losses = Array.from({ length: model.trees.length + 1 }, (_, trees) =>
      lossOfModel({ ...model, trees: model.trees.slice(0, trees) }, train),
    );
    expect(losses.length).toBeGreaterThan(20);
    losses.slice(1).forEach((loss, i) => {
      expect(loss, `tree ${i}`).toBeLessThan(losses[i] as number);
    });
  });

  test("stops where nothing is to be learned", () => {
    const noise = madeUp({ rows: 3000, columns: 5, logOdds: () => -1 });
    const model = fitTrees(noise, { seed: 1 });
    const { raw } = treesPredictor(model);
    expect(model.trees.length).toBeLessThan(10);
    expect(sigmoid(raw(noise.x, 0, 0))).toBeCloseTo(sigmoid(-1), 1);
  });

  test("makes the same model, byte for byte, of the same problem and seed, and another of another seed", () => {
    const problem = madeUp({ rows: 800, columns: 3, arms: 2, logOdds: xor });
    const [one, two, other] = [7, 7, 8].map((seed) => JSON.stringify(fitTrees(problem, { seed })));
    expect(one).toBe(two);
    expect(one).not.toBe(other);
  });

  test("predicts the same after it was stored as JSON", () => {
    const problem = madeUp({ rows: 800, columns: 3, arms: 3, logOdds: xor });
    const model = fitTrees(problem, { seed: 1 });
    const back = TreesModel.parse(JSON.parse(JSON.stringify(model)));
    expect(back).toEqual(model);
    const [before, after] = [treesPredictor(model), treesPredictor(back)];
    for (let row = 0; row < 100; row++) {
      const raw = before.raw(problem.x, row * 3, 2);
      expect(after.raw(problem.x, row * 3, 2)).toBe(raw);
      expect(after.error(problem.x, row * 3, raw, 2)).toBe(before.error(problem.x, row * 3, raw, 2));
    }
  });

  test("takes a row of weight 3 for three rows", () => {
    const problem = madeUp({ rows: 600, columns: 3, levels: 20, logOdds: xor });
    const weights = Float64Array.from(problem.y, (_, row) => 1 + (row % 3));
    const copied = repeated(problem, (row) => weights[row] as number);
    // One that nothing is fitted on, in both: what to hold out is drawn by rows, which are not the same.
    const weighted = fitTrees({ ...problem, weights }, { seed: 1, valid: [0] });
    const plain = fitTrees(copied, { seed: 1, valid: [0] });
    const trees = Math.min(weighted.trees.length, plain.trees.length);
    expect(trees).toBeGreaterThan(3);
    expect(weighted.trees.slice(0, trees).map(({ feature, threshold }) => [feature, threshold])).toEqual(
      plain.trees.slice(0, trees).map(({ feature, threshold }) => [feature, threshold]),
    );
    weighted.trees.slice(0, trees).forEach(({ value }, i) => {
      value.forEach((each, node) => {
        expect(each).toBeCloseTo(plain.trees[i]?.value[node] as number, 4);
      });
    });
  });

  test("ignores rows of weight 0", () => {
    const problem = madeUp({ rows: 1000, columns: 2, logOdds: xor });
    const weights = Float64Array.from(problem.y, (_, row) => (row < 500 ? 1 : 0));
    const turned = problem.y.map((label, row) => (row < 500 ? label : 1 - label));
    const [one, two] = [problem.y, turned].map((y) => fitTrees({ ...problem, y, weights }, { seed: 1 }));
    expect(one?.trees).toEqual(two?.trees);
  });

  test("learns shares as it learns the labels they are the mean of", () => {
    const labels = madeUp({ rows: 3000, columns: 2, levels: 10, logOdds: xor });
    const shares = {
      ...labels,
      y: labels.y.map((_, row) => sigmoid(xor([...labels.x.subarray(row * 2, row * 2 + 2)]))),
    };
    const { raw } = treesPredictor(fitTrees(shares, { seed: 1 }));
    for (let row = 0; row < 50; row++)
      expect(Math.abs(sigmoid(raw(labels.x, row * 2, 0)) - (shares.y[row] as number))).toBeLessThan(0.03);
  });

  test("never asks for a column that is constant", () => {
    const problem = madeUp({ rows: 1000, columns: 3, logOdds: (x) => 2 * (x[2] as number) });
    for (let row = 0; row < 1000; row++) problem.x[row * 3 + 1] = 4;
    const model = fitTrees(problem, { seed: 1 });
    const asked = new Set([model, ...model.bags].flatMap(({ trees }) => trees.flatMap(({ feature }) => feature)));
    expect(asked.has(1)).toBe(false);
    expect(asked.has(2)).toBe(true);
  });

  test.each([
    ["one column", { columns: 1 }, (y: number) => y],
    ["no column", { columns: 0 }, (y: number) => y],
    ["one class", { columns: 2 }, () => 0],
    ["the other class", { columns: 2 }, () => 1],
  ])("has finite numbers with %s", (_, { columns }, label) => {
    const problem = madeUp({ rows: 300, columns, logOdds: (x) => 3 * (x[0] ?? 0) });
    const model = fitTrees({ ...problem, y: problem.y.map(label) }, { seed: 1 });
    expect(TreesModel.parse(JSON.parse(JSON.stringify(model)))).toEqual(model);
    const { raw, error } = treesPredictor(model);
    const z = raw(problem.x, 0, 0);
    expect(Number.isFinite(z)).toBe(true);
    expect(Number.isFinite(error(problem.x, 0, z, 0))).toBe(true);
  });

  test("refuses to fit on nothing", () => {
    const nothing = { x: new Float64Array(0), columns: 2, y: new Float64Array(0) };
    expect(() => fitTrees(nothing, { seed: 1 })).toThrow("Cannot fit trees: none of the 0 rows is left to fit on");
  });

  test("fits nothing on the rows that say when to stop", () => {
    const problem = madeUp({ rows: 1000, columns: 2, logOdds: xor });
    const valid = Array.from({ length: 200 }, (_, i) => i * 5);
    const turned = problem.y.map((label, row) => (row % 5 === 0 ? 1 - label : label));
    const model = fitTrees(problem, { seed: 1, valid });
    // They say the opposite: then the first tree is already one too many.
    const stopped = fitTrees({ ...problem, y: turned }, { seed: 1, valid });
    expect(model.trees.length).toBeGreaterThan(10);
    expect(stopped.trees.length).toBe(0);
    expect(stopped.base).toBe(model.base);
  });

  test("says how far it is, ever further", () => {
    const said: number[] = [];
    fitTrees(madeUp({ rows: 500, columns: 2, logOdds: xor }), { seed: 1, onProgress: (share) => said.push(share) });
    expect(said.length).toBeGreaterThan(20);
    expect(said).toEqual([...said].sort((a, b) => a - b));
    expect(said.every((share) => share >= 0 && share <= 1)).toBe(true);
  });
});
