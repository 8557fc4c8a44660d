import { type Bins, binColumns, takeRows } from "./bin-columns.ts";
import { blindVariances } from "./blind-variance.ts";
import { bootstrap } from "./bootstrap.ts";
import { growEnsemble, type Sample } from "./grow-ensemble.ts";
import type { Tree, TreeOptions } from "./grow-tree.ts";
import type { Problem } from "./problem.ts";
import { seededRandom } from "./random.ts";
import type { Ensemble, TreesModel } from "./tree-predictor.ts";

export interface BoostOptions {
  readonly seed: number;
  /** Rows that say when to stop, and that nothing is fitted on. Default: a seeded seventh, given back once that is known. */
  readonly valid?: ArrayLike<number> | undefined;
  /** Whose each row is. Units are held out and drawn as a whole. Default: each row is a unit. */
  readonly units?: ArrayLike<number> | undefined;
  /** Called with the share done, 0..1. */
  readonly onProgress?: ((progress: number) => void) | undefined;
}

// Chosen on the training rows of three public data sets: docs/decisions/0080-boosted-trees.md.
const TREE: TreeOptions = { leaves: 8, min_leaf: 10, l2: 1 };
const RATE = 0.1;
const MOST_TREES = 500;
const PATIENCE = 20;
const HELD_OUT = 0.15;
/** With more rows than this, fitting again on all of them, with the number of trees found, gains nothing worth its time. */
const REFIT_ROWS = 100_000;

const BAGS = 20;
const BAG_ROWS = 10_000;
/** A bag has fewer but larger trees, which together learn as much: its spread has to cover what the main ensemble misses. */
const BAG_TREES = 20;
/** Beyond it steps overshoot: then a bag has more trees. */
const BAG_RATE = 0.75;
const BAG_TREE: TreeOptions = { ...TREE, leaves: 12 };

/**
 * Gradient-boosted trees for the log loss (Friedman 2001), on histograms. Trees are added until the held-out rows have not
 * improved for 20 trees; then the same number is fitted on all rows. The arm is a column that the trees may ask for. Its
 * uncertainty comes from bags: smaller ensembles on bootstrap samples of about 10,000 rows, whose spread is scaled down to
 * all rows (m out of n: Bickel, Götze and van Zwet 1997). The same problem and seed give the same model.
 *
 * @throws Error when there are no rows to fit on
 */
export function fitTrees(problem: Problem, options: BoostOptions): TreesModel {
  const rows = problem.y.length;
  const random = seededRandom(options.seed);
  const progress = options.onProgress ?? (() => {});
  const held = heldOut(rows, options, random);
  const train = rowsWhere(held, 0);
  if (train.length === 0) throw new Error(`Cannot fit trees: none of the ${rows} rows is left to fit on`);
  const bins = binColumns({ ...problem, rows }, options.seed);
  const sample: Sample = { bins, y: problem.y, weights: problem.weights ?? new Float64Array(rows).fill(1) };

  const first = growEnsemble(sample, train, {
    ...TREE,
    rate: RATE,
    most: MOST_TREES,
    stop: { valid: rowsWhere(held, 1), patience: PATIENCE },
    onTree: (trees) => progress((0.5 * trees) / MOST_TREES),
  });
  const size = first.trees.length;
  const isRefitted = options.valid === undefined && rows <= REFIT_ROWS;
  const known = isRefitted ? Int32Array.from({ length: rows }, (_, row) => row) : train;
  const onTree = (trees: number) => progress(0.5 + (0.2 * trees) / size);
  const main = isRefitted ? growEnsemble(sample, known, { ...TREE, rate: RATE, most: size, onTree }) : first;

  const most = Math.max(Math.min(BAG_TREES, size), Math.ceil((RATE * size) / BAG_RATE));
  const rate = size === 0 ? RATE : (RATE * size) / most;
  const { draw, scale } = bootstrap(known, options.units, BAG_ROWS);
  const bags = Array.from({ length: BAGS }, (_, i) => {
    progress(0.7 + (0.3 * i) / BAGS);
    const drawn = drawnSample(sample, draw(random));
    const all = Int32Array.from(drawn.y, (_, row) => row);
    return store(growEnsemble(drawn, all, { ...BAG_TREE, rate, most }), bins, rate, forBag);
  });
  return {
    learner: "trees",
    columns: problem.columns,
    arms: problem.arms?.count ?? 1,
    ...store(main, bins, RATE, (_, value) => value),
    bags,
    bag_scale: scale,
    blind: blindVariances(problem, known),
  };
}

/** 1 for rows that are held out. */
function heldOut(rows: number, { valid, units }: BoostOptions, random: () => number): Uint8Array {
  const held = new Uint8Array(rows);
  if (valid !== undefined) {
    for (let i = 0; i < valid.length; i++) held[valid[i] as number] = 1;
    return held;
  }
  if (units === undefined) return held.map(() => (random() < HELD_OUT ? 1 : 0));
  const drawn = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    const unit = units[row] as number;
    const known = drawn.get(unit) ?? (random() < HELD_OUT ? 1 : 0);
    drawn.set(unit, known);
    held[row] = known;
  }
  return held;
}

function rowsWhere(flags: Uint8Array, flag: number): Int32Array {
  let count = 0;
  for (let row = 0; row < flags.length; row++) if (flags[row] === flag) count++;
  const rows = new Int32Array(count);
  for (let row = 0, to = 0; row < flags.length; row++) if (flags[row] === flag) rows[to++] = row;
  return rows;
}

/** A table of the drawn rows alone: small enough to stay in the processor's cache. */
function drawnSample({ bins, y, weights }: Sample, drawn: { rows: Int32Array; times: Int32Array }): Sample {
  return {
    bins: takeRows(bins, drawn.rows),
    y: Float64Array.from(drawn.rows, (row) => y[row] as number),
    weights: Float64Array.from(drawn.rows, (row, i) => (weights[row] as number) * (drawn.times[i] as number)),
  };
}

/** Of bags only the leaves are read, and only their spread matters. */
function forBag(isLeaf: boolean, value: number): number {
  return isLeaf ? Number(value.toPrecision(4)) : 0;
}

function store(
  { base, trees }: { readonly base: number; readonly trees: readonly Tree[] },
  { cuts }: Bins,
  rate: number,
  stored: (isLeaf: boolean, value: number) => number,
): Ensemble {
  return {
    base,
    rate,
    trees: trees.map(({ feature, bin, left, value }) => ({
      feature,
      threshold: feature.map((asks, i) => (asks < 0 ? 0 : (cuts[asks]?.[bin[i] as number] ?? 0))),
      left,
      value: value.map((each, i) => stored((feature[i] as number) < 0, each)),
    })),
  };
}
