import type { Problem } from "../../../core/model/problem.ts";
import { seededRandom } from "../../../core/model/random.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";

export interface MadeUp {
  readonly rows: number;
  readonly columns: number;
  readonly seed?: number;
  readonly arms?: number;
  /** Different values a column may have. Default: as many as there are rows. */
  readonly levels?: number;
  /** True log odds of a row, given its columns, under an arm. */
  readonly logOdds: (x: readonly number[], arm: number) => number;
}

/** Rows with columns uniform in -1..1, arms drawn evenly, outcomes drawn by the true log odds. */
export function madeUp({ rows, columns, seed = 1, arms = 1, levels, logOdds }: MadeUp): Problem {
  const random = seededRandom(seed);
  const value = () => (levels === undefined ? random() : Math.floor(random() * levels) / (levels - 1));
  const x = Float64Array.from({ length: rows * columns }, () => 2 * value() - 1);
  const index = Uint8Array.from({ length: rows }, () => Math.floor(random() * arms));
  const y = Float64Array.from(index, (arm, row) =>
    random() < sigmoid(logOdds([...x.subarray(row * columns, (row + 1) * columns)], arm)) ? 1 : 0,
  );
  return { x, columns, y, ...(arms > 1 ? { arms: { count: arms, index, interactions: new Uint16Array(0) } } : {}) };
}

/** Mean log loss, over the rows' weights, of log odds. */
export function lossOf({ y, weights }: Problem, raw: (row: number) => number): number {
  let loss = 0;
  let total = 0;
  y.forEach((label, row) => {
    const z = raw(row);
    const weight = weights?.[row] ?? 1;
    loss += weight * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - label * z);
    total += weight;
  });
  return loss / total;
}
