import type { Dataset } from "./dataset.ts";
import { encodeRows } from "./encode-rows.ts";
import type { Encoding } from "./encoding.ts";
import type { Slice, Slices } from "./fit-learner.ts";
import type { Arms } from "./problem.ts";
import type { Split } from "./split-dataset.ts";

/** Columns whose effect may differ between arms: at most these, the ones whose effect seems to differ most. */
const MAX_INTERACTIONS = 50;

/**
 * The slices as learners see them.
 *
 * @param arms the variants that are told apart, the safe one first: all that the dataset's rows were served; null: none are
 */
export function makeSlices(dataset: Dataset, encoding: Encoding, split: Split, arms: readonly string[] | null): Slices {
  const places = arms === null ? null : Uint8Array.from(dataset.arms ?? [], (name) => Math.max(0, arms.indexOf(name)));
  const slice = (rows: Uint32Array): Slice => {
    const plain = {
      x: encodeRows(dataset, encoding, rows),
      columns: encoding.columns.length,
      y: Float64Array.from(rows, (row) => dataset.values[row] as number),
      weights: unitWeights(dataset, rows),
      labels: Uint8Array.from(rows, (row) => dataset.labels[row] as number),
      units: Uint32Array.from(rows, (row) => dataset.units[row] as number),
    };
    if (places === null || arms === null) return plain;
    const index = Uint8Array.from(rows, (row) => places[dataset.arm?.[row] ?? 0] as number);
    return { ...plain, arms: { count: arms.length, index, interactions: new Uint16Array(0) } };
  };
  const train = slice(split.train);
  const interactions = train.arms === undefined ? new Uint16Array(0) : chooseInteractions(train, train.arms);
  const interacting = (one: Slice): Slice =>
    one.arms === undefined ? one : { ...one, arms: { ...one.arms, interactions } };
  return {
    train: interacting(train),
    calibration: interacting(slice(split.calibration)),
    validation: interacting(slice(split.validation)),
  };
}

/** Weights by which the moments of one unit together count as one: whoever comes often moves the model no more than others. */
function unitWeights({ units, unit_names }: Dataset, rows: Uint32Array): Float64Array {
  const counts = new Uint32Array(unit_names.length);
  for (const row of rows) (counts[units[row] as number] as number)++;
  return Float64Array.from(rows, (row) => 1 / (counts[units[row] as number] as number));
}

/** The columns whose covariance with the outcome differs most between the safe arm and any other. */
function chooseInteractions({ x, columns, y, weights }: Slice, { count, index }: Arms): Uint16Array {
  const all = Uint16Array.from({ length: columns }, (_, j) => j);
  if (columns <= MAX_INTERACTIONS) return all;
  const width = columns + 1;
  /** For each arm the sum of weights and, for each column, of weight x (y - mean of all). */
  const sums = new Float64Array(count * width);
  let [total, outcome] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    total += weights?.[i] ?? 1;
    outcome += (weights?.[i] ?? 1) * (y[i] as number);
  }
  for (let i = 0; i < y.length; i++) {
    const start = (index[i] as number) * width;
    const weight = weights?.[i] ?? 1;
    const d = weight * ((y[i] as number) - outcome / total);
    (sums[start] as number) += weight;
    for (let j = 0; j < columns; j++) (sums[start + 1 + j] as number) += d * (x[i * columns + j] as number);
  }
  const mean = (arm: number, j: number) =>
    (sums[arm * width + 1 + j] as number) / Math.max(1, sums[arm * width] as number);
  const differences = Float64Array.from(all, (j) => {
    let most = 0;
    for (let arm = 1; arm < count; arm++) most = Math.max(most, Math.abs(mean(arm, j) - mean(0, j)));
    return most;
  });
  return all
    .sort((a, b) => (differences[b] as number) - (differences[a] as number) || a - b)
    .slice(0, MAX_INTERACTIONS)
    .sort();
}
