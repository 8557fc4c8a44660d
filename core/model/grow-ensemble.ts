import type { Bins } from "./bin-columns.ts";
import { type Tree, type TreeOptions, treeGrower } from "./grow-tree.ts";
import { SUMS } from "./histogram.ts";
import { sigmoid } from "./sigmoid.ts";

/** A binned table, its outcomes (0..1) and its weights, by row. */
export interface Sample {
  readonly bins: Bins;
  readonly y: Float64Array;
  readonly weights: Float64Array;
}

export interface EnsembleOptions extends TreeOptions {
  /** What every tree's values are multiplied by. */
  readonly rate: number;
  /** Most trees. */
  readonly most: number;
  /** Ends when the loss of the rows `valid` has not improved for `patience` trees, and keeps the trees up to its best. */
  readonly stop?: { readonly valid: Int32Array; readonly patience: number } | undefined;
  /** Called with the number of trees so far. */
  readonly onTree?: ((trees: number) => void) | undefined;
}

const LEAST_SHARE = 1e-6;
/**
 * Significant digits of what is added up, rounded while growing: what is stored is what was fitted, and the last bits in
 * which runtimes' exponentials differ are gone from one tree to the next.
 */
const DIGITS = 6;

/** Adds tree after tree to the log odds of `rows` (ascending). Ends early when no split gains anything. */
export function growEnsemble(
  { bins, y, weights }: Sample,
  rows: Int32Array,
  options: EnsembleOptions,
): { base: number; trees: Tree[] } {
  const { rate, most, stop, onTree } = options;
  const base = baseOf(rows, y, weights);
  const raw = new Float64Array(bins.rows).fill(base);
  const sums = new Float64Array(bins.rows * SUMS);
  const grow = treeGrower(bins, options);
  const trees: Tree[] = [];
  let best = { loss: stop ? lossOf(stop.valid, y, weights, raw) : 0, trees: 0 };
  while (trees.length < most && (stop === undefined || trees.length - best.trees < stop.patience)) {
    derive(rows, y, weights, raw, sums);
    const { order, leaves, ...tree } = grow(rows, sums);
    if (leaves.length === 1) break;
    for (let i = 0; i < tree.value.length; i++) tree.value[i] = rounded(tree.value[i] as number);
    trees.push(tree);
    for (const { node, start, end } of leaves) add(order, start, end, rate * (tree.value[node] as number), raw);
    onTree?.(trees.length);
    if (stop === undefined) continue;
    addTree(tree, bins, stop.valid, rate, raw);
    const loss = lossOf(stop.valid, y, weights, raw);
    if (loss < best.loss) best = { loss, trees: trees.length };
  }
  return { base, trees: stop ? trees.slice(0, best.trees) : trees };
}

/** The log odds of the mean outcome. */
function baseOf(rows: Int32Array, y: Float64Array, weights: Float64Array): number {
  let positive = 0;
  let total = 0;
  for (const row of rows) {
    positive += (weights[row] as number) * (y[row] as number);
    total += weights[row] as number;
  }
  const share = Math.min(1 - LEAST_SHARE, Math.max(LEAST_SHARE, positive / total));
  return rounded(Math.log(share / (1 - share)));
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

// As in histogram.ts, each loop over rows is a function of its own.

function derive(rows: Int32Array, y: Float64Array, weights: Float64Array, raw: Float64Array, sums: Float64Array): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const p = sigmoid(raw[row] as number);
    const weight = weights[row] as number;
    sums[row << 1] = weight * (p - (y[row] as number));
    sums[(row << 1) + 1] = weight * p * (1 - p);
  }
}

function add(order: Int32Array, start: number, end: number, step: number, raw: Float64Array): void {
  for (let i = start; i < end; i++) {
    const row = order[i] as number;
    raw[row] = (raw[row] as number) + step;
  }
}

function addTree(tree: Tree, bins: Bins, rows: Int32Array, rate: number, raw: Float64Array): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    raw[row] = (raw[row] as number) + rate * valueAt(tree, bins, row);
  }
}

function valueAt({ feature, bin, left, value }: Tree, { codes, rows, columns }: Bins, row: number): number {
  let node = 0;
  for (let asks = feature[0] as number; asks >= 0; asks = feature[node] as number) {
    const code = codes[Math.min(asks, columns) * rows + row] as number;
    const isRight = asks < columns ? code > (bin[node] as number) : code === asks - columns;
    node = (left[node] as number) + (isRight ? 1 : 0);
  }
  return value[node] as number;
}

function lossOf(rows: Int32Array, y: Float64Array, weights: Float64Array, raw: Float64Array): number {
  let loss = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const z = raw[row] as number;
    loss += (weights[row] as number) * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - (y[row] as number) * z);
  }
  return loss;
}
