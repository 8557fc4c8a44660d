import type { Bins } from "./bin-columns.ts";
import { FOUND, fillHistogram, type Histogram, layoutOf, SUMS, scanColumn, subtract } from "./histogram.ts";

export interface TreeOptions {
  /** Most leaves of a tree. */
  readonly leaves: number;
  /**
   * Least sum of weights in a leaf, > 0. A row counts 4 p (1 - p) of its weight, which is what it tells: all of it where both
   * outcomes are as likely, less where one is rare.
   */
  readonly min_leaf: number;
  /** Penalty on the squares of the leaves' values, > 0. */
  readonly l2: number;
}

/** A tree over binned columns, by node; node 0 is the root. */
export interface Tree {
  /** Column that a node asks for; -1: a leaf; columns + a: whether the arm is a. */
  readonly feature: number[];
  /** A row goes left when its bin is at most this. 0 for leaves and arms (to the left: another arm). */
  readonly bin: number[];
  /** Left child; the right one is the next. 0 for leaves. */
  readonly left: number[];
  /** What the node adds to the log odds, as if it were a leaf, before the learning rate. */
  readonly value: number[];
}

export interface GrownTree extends Tree {
  /** The rows grown on, leaf by leaf: written over by the next tree. */
  readonly order: Int32Array;
  /** `order` from `start` to `end` is what reached the leaf `node`. */
  readonly leaves: readonly { readonly node: number; readonly start: number; readonly end: number }[];
}

/** Grows a tree on `rows` (ascending), down the derivatives `sums` (histogram.ts). */
export type GrowTree = (rows: Int32Array, sums: Float64Array) => GrownTree;

/**
 * Grows trees leaf by leaf, the leaf whose split gains most first (Newton boosting: gain = sum of G^2 / (H + l2) over the
 * parts less that of the whole, value = -G / (H + l2); Chen and Guestrin 2016). Histograms are built of the smaller child; the
 * larger one's are its parent's less those (Ke et al. 2017). Buffers are kept from tree to tree.
 */
export function treeGrower(bins: Bins, { leaves: most, min_leaf, l2 }: TreeOptions): GrowTree {
  const { rows: height, columns, arms } = bins;
  const layout = layoutOf(bins);
  const pool = Array.from({ length: most }, () => new Float64Array(layout.size));
  const order = new Int32Array(height);
  const spare = new Int32Array(height);
  const found = new Float64Array(FOUND);
  const least = min_leaf / 4;

  return (rows, sums) => {
    order.set(rows);
    const free = [...pool];
    const tree: Tree = { feature: [], bin: [], left: [], value: [] };
    const root = addLeaf(tree, 0, rows.length, sumOf(rows, sums, 0), sumOf(rows, sums, 1));
    if (canSplit(root)) findSplit(root, fillHistogram(free.pop() as Histogram, layout, root, order, sums));
    const open = [root];
    while (open.length < most) {
      const at = bestOf(open);
      if (at < 0) break;
      const parent = open[at] as Leaf;
      const [left, right] = split(tree, parent);
      open.splice(at, 1, left, right);
      if (open.length === most) break;
      const whole = parent.histogram as Histogram;
      if (!canSplit(left) && !canSplit(right)) {
        free.push(whole);
        continue;
      }
      const [small, large] = left.end - left.start <= right.end - right.start ? [left, right] : [right, left];
      const part = fillHistogram(free.pop() as Histogram, layout, small, order, sums);
      subtract(whole, part);
      if (canSplit(small)) findSplit(small, part);
      else free.push(part);
      if (canSplit(large)) findSplit(large, whole);
      else free.push(whole);
    }
    return { ...tree, order, leaves: open };
  };

  function addLeaf(tree: Tree, start: number, end: number, slope: number, curve: number): Leaf {
    const node = tree.feature.push(-1) - 1;
    tree.bin.push(0);
    tree.left.push(0);
    tree.value.push(-slope / (curve + l2));
    const split = { gain: 0, column: -1, bin: 0, slope: 0, curve: 0 };
    return { node, start, end, slope, curve, histogram: undefined, split };
  }

  function canSplit(leaf: Leaf): boolean {
    return leaf.curve >= 2 * least;
  }

  function findSplit(leaf: Leaf, histogram: Histogram): void {
    const { slope, curve } = leaf;
    let column = -1;
    found[0] = 0;
    for (let j = 0; j < layout.widths.length; j++) {
      const before = found[0] as number;
      const width = layout.widths[j] as number;
      const isArm = j === columns;
      // Every arm against the others; of two arms, once.
      const last = isArm && arms > 2 ? width : width - 1;
      scanColumn(histogram, (layout.starts[j] as number) * SUMS, last, isArm, slope, curve, least, l2, found);
      if ((found[0] as number) > before) column = j;
    }
    leaf.histogram = histogram;
    const [gain, bin, ofSlope, ofCurve] = found as unknown as [number, number, number, number];
    if (column >= 0) leaf.split = { column, gain, bin, slope: ofSlope, curve: ofCurve };
  }

  function split(tree: Tree, { node, start, end, slope, curve, split }: Leaf): [Leaf, Leaf] {
    const isArm = split.column === columns;
    const codes = layout.codes[split.column] as Uint8Array;
    const middle = partition(order, spare, start, end, codes, split.bin, isArm);
    order.set(spare.subarray(0, end - middle), middle);
    tree.feature[node] = isArm ? columns + split.bin : split.column;
    tree.bin[node] = isArm ? 0 : split.bin;
    const children = tree.feature.length;
    tree.left[node] = children;
    const these = [split.slope, split.curve] as const;
    const others = [slope - split.slope, curve - split.curve] as const;
    return [
      addLeaf(tree, start, middle, ...(isArm ? others : these)),
      addLeaf(tree, middle, end, ...(isArm ? these : others)),
    ];
  }
}

interface Leaf {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  readonly slope: number;
  readonly curve: number;
  /** undefined where the leaf is too light to be split. */
  histogram: Histogram | undefined;
  /** The best one, with the sums of the rows in its bins (or of its arm); none when its gain is 0. */
  split: {
    readonly gain: number;
    readonly column: number;
    readonly bin: number;
    readonly slope: number;
    readonly curve: number;
  };
}

/** Index of the leaf whose split gains most, the earlier one on a tie; -1: none can be split. */
function bestOf(leaves: readonly Leaf[]): number {
  let best = -1;
  let gain = 0;
  leaves.forEach((leaf, i) => {
    if (leaf.split.gain <= gain) return;
    best = i;
    gain = leaf.split.gain;
  });
  return best;
}

// The loops over rows are functions of their own with nothing after the loop: V8 compiles a loop it finds running,
// and would otherwise fall back to slow code at its end, tree after tree.

function sumOf(rows: Int32Array, sums: Float64Array, which: 0 | 1): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += sums[((rows[i] as number) << 1) + which] as number;
  return sum;
}

/** Moves the rows that go left to the front, the others to `spare`, both in their order; answers where the others begin. */
function partition(
  order: Int32Array,
  spare: Int32Array,
  start: number,
  end: number,
  codes: Uint8Array,
  bin: number,
  isArm: boolean,
): number {
  let left = start;
  for (let i = start; i < end; i++) {
    const row = order[i] as number;
    const code = codes[row] as number;
    if (isArm ? code !== bin : code <= bin) order[left++] = row;
    else spare[i - left] = row;
  }
  return left;
}
