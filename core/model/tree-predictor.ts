import { z } from "zod";
import { Blind, blindBetween } from "./blind-variance.ts";

const Finite = z.number();
const Index = z.int().nonnegative();

/** A tree by node; node 0 is the root, children come after their parent. */
const Tree = z.object({
  /** Column a node asks for; -1: a leaf; columns + a: whether the arm is a. */
  feature: z.array(z.int().min(-1)),
  /** Standardised value: to the left when x is at most this. 0 for leaves and arms (to the left: another arm). */
  threshold: z.array(Finite),
  /** Left child; the right one is the next. 0 for leaves. */
  left: z.array(Index),
  /** What a node adds to the log odds, before the rate. Of inner nodes: what it would add as a leaf (0 in bags). */
  value: z.array(Finite),
});

const Ensemble = z.object({
  /** Log odds before the first tree. */
  base: Finite,
  /** Learning rate: what the trees' values are multiplied by. */
  rate: Finite.positive(),
  trees: z.array(Tree),
});

/** Gradient-boosted trees, as they are stored. */
export const TreesModel = Ensemble.extend({
  learner: z.literal("trees"),
  /** Columns of x. */
  columns: Index,
  /** How many arms it tells apart; 1: none. */
  arms: z.int().positive(),
  /** Smaller ensembles on bootstrap samples: their spread times `bag_scale` is the error. */
  bags: z.array(Ensemble).min(2),
  bag_scale: Finite.positive(),
  blind: Blind,
}).refine(isSound, {
  error: "Expected nodes that ask for known columns and lead to later nodes, and a variance for each arm",
});
export type TreesModel = z.infer<typeof TreesModel>;
export type Ensemble = z.infer<typeof Ensemble>;

/** `x` holds standardised columns from `offset` on; `arm` is the arm's index, ignored by a model without arms. */
export interface TreesPredictor {
  /** Log odds. */
  raw(x: Float64Array, offset: number, arm: number): number;
  logOdds(raw: number): number;
  /** Standard error of the log odds: the spread of the bags, and what all of them miss. */
  error(x: Float64Array, offset: number, raw: number, arm: number): number;
  /** Standard error of the difference in log odds between two arms. */
  differenceError(x: Float64Array, offset: number, arm: number, other: number): number;
}

/** Compiles a model: all nodes in four flat arrays. Its functions allocate nothing. */
export function treesPredictor(model: TreesModel): TreesPredictor {
  const main = compile(model, model.columns, false);
  const bags = model.bags.map((bag) => compile(bag, model.columns, false));
  // The other trees cancel out of a difference between arms.
  const armTrees = model.bags.map((bag) => compile(bag, model.columns, true));
  const scale = model.bag_scale ** 2 / (bags.length - 1);
  return {
    raw: main,
    logOdds: (raw) => raw,
    error(x, offset, _, arm) {
      let mean = 0;
      let squares = 0;
      for (let i = 0; i < bags.length; i++) {
        const value = (bags[i] as Compiled)(x, offset, arm);
        const before = value - mean;
        mean += before / (i + 1);
        squares += before * (value - mean);
      }
      return Math.sqrt(squares * scale + model.blind.level);
    },
    differenceError(x, offset, arm, other) {
      let mean = 0;
      let squares = 0;
      for (let i = 0; i < armTrees.length; i++) {
        const bag = armTrees[i] as Compiled;
        const value = bag(x, offset, arm) - bag(x, offset, other);
        const before = value - mean;
        mean += before / (i + 1);
        squares += before * (value - mean);
      }
      return Math.sqrt(squares * scale + blindBetween(model.blind, arm, other));
    },
  };
}

/** What every column of x, and last the arm, added to the log odds. */
export interface PathContributions {
  readonly base: number;
  readonly contributions: Float64Array;
}

/**
 * Follows a row down every tree: the change of a node's value to its child's is due to the column the node asks for
 * (Saabas 2014). Base and contributions add up to `raw`. What a column added depends on what was asked before it.
 */
export function pathContributions(model: TreesModel, x: Float64Array, offset: number, arm: number): PathContributions {
  const { columns, rate, trees } = model;
  const contributions = new Float64Array(columns + 1);
  let base = model.base;
  for (const tree of trees) {
    base += rate * (tree.value[0] as number);
    for (let node = 0, feature = tree.feature[0] as number; feature >= 0; feature = tree.feature[node] as number) {
      const next =
        (tree.left[node] as number) +
        (goesRight(feature, tree.threshold[node] as number, x, offset, arm, columns) ? 1 : 0);
      const change = rate * ((tree.value[next] as number) - (tree.value[node] as number));
      const column = Math.min(feature, columns);
      contributions[column] = (contributions[column] as number) + change;
      node = next;
    }
  }
  return { base, contributions };
}

function goesRight(
  feature: number,
  threshold: number,
  x: Float64Array,
  offset: number,
  arm: number,
  columns: number,
): boolean {
  return feature < columns ? (x[offset + feature] as number) > threshold : arm === feature - columns;
}

type Compiled = (x: Float64Array, offset: number, arm: number) => number;

function compile({ base, rate, trees }: Ensemble, columns: number, armsOnly: boolean): Compiled {
  const used = armsOnly ? trees.filter((tree) => tree.feature.some((feature) => feature >= columns)) : trees;
  const nodes = used.reduce((sum, tree) => sum + tree.feature.length, 0);
  const feature = new Int32Array(nodes);
  const threshold = new Float64Array(nodes);
  const left = new Uint32Array(nodes);
  const value = new Float64Array(nodes);
  const roots = new Uint32Array(used.length);
  let first = 0;
  used.forEach((tree, i) => {
    roots[i] = first;
    feature.set(tree.feature, first);
    threshold.set(tree.threshold, first);
    left.set(
      tree.left.map((child) => first + child),
      first,
    );
    value.set(tree.value, first);
    first += tree.feature.length;
  });
  return (x, offset, arm) => {
    let sum = 0;
    for (let i = 0; i < roots.length; i++) {
      let node = roots[i] as number;
      for (let asks = feature[node] as number; asks >= 0; asks = feature[node] as number) {
        const right =
          asks < columns ? (x[offset + asks] as number) > (threshold[node] as number) : arm === asks - columns;
        node = (left[node] as number) + (right ? 1 : 0);
      }
      sum += value[node] as number;
    }
    return base + rate * sum;
  };
}

interface Shape extends Pick<Ensemble, "trees"> {
  readonly columns: number;
  readonly arms: number;
  readonly blind: { readonly arms: readonly number[] };
  readonly bags: readonly Pick<Ensemble, "trees">[];
}

/** So that no stored tree can be walked for ever or out of its arrays. */
function isSound({ columns, arms, blind, trees, bags }: Shape): boolean {
  const features = columns + (arms === 1 ? 0 : arms);
  if (blind.arms.length !== arms) return false;
  return [trees, ...bags.map((bag) => bag.trees)].flat().every(({ feature, threshold, left, value }) => {
    const nodes = feature.length;
    return (
      nodes > 0 &&
      threshold.length === nodes &&
      left.length === nodes &&
      value.length === nodes &&
      feature.every(
        (asks, i) => asks < 0 || (asks < features && (left[i] as number) > i && (left[i] as number) + 1 < nodes),
      )
    );
  });
}
