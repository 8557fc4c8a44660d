import type { Dataset } from "./dataset.ts";

/** Row numbers of each slice, ascending, and how the split was made. */
export interface Split {
  readonly by: "time" | "unit" | "given";
  readonly train: Uint32Array;
  readonly calibration: Uint32Array;
  readonly validation: Uint32Array;
  /** Later moments of units that already stay in an earlier slice: left out. */
  readonly left_out: number;
}

const TRAIN = 0.6;
const CALIBRATION = 0.2;
const OUT = 3;

/**
 * Splits by time: train < T1 <= calibration < T2 <= validation, 60 / 20 / 20 % of the examples. A unit with moments in
 * two slices stays in the earliest, its later moments are left out, so that nobody is both learned from and measured on.
 *
 * Where time cannot split (all moments are the same), or where the same units come back so regularly that a later slice
 * keeps less than half of its share or only one outcome, the units are split by their hash instead, all moments of one unit
 * in one slice.
 */
export function splitDataset(dataset: Dataset): Split {
  if (dataset.slices !== null) return collect("given", dataset.slices);
  const byTime = collect("time", timeSlices(dataset));
  return isUsable(dataset, byTime) ? byTime : collect("unit", unitSlices(dataset));
}

function timeSlices({ rows, at, units, unit_names }: Dataset): Uint8Array {
  const times = Float64Array.from(at).sort();
  const t1 = times[Math.floor(rows * TRAIN)] ?? Number.POSITIVE_INFINITY;
  const t2 = times[Math.floor(rows * (TRAIN + CALIBRATION))] ?? Number.POSITIVE_INFINITY;
  const slices = new Uint8Array(rows);
  const earliest = new Uint8Array(unit_names.length).fill(OUT);
  for (let row = 0; row < rows; row++) {
    const time = at[row] as number;
    const slice = time < t1 ? 0 : time < t2 ? 1 : 2;
    slices[row] = slice;
    const unit = units[row] as number;
    earliest[unit] = Math.min(slice, earliest[unit] as number);
  }
  for (let row = 0; row < rows; row++) if (slices[row] !== earliest[units[row] as number]) slices[row] = OUT;
  return slices;
}

function unitSlices({ rows, unit_hashes }: Dataset): Uint8Array {
  const slices = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const u = (unit_hashes[row] as number) / 2 ** 32;
    slices[row] = u < TRAIN ? 0 : u < TRAIN + CALIBRATION ? 1 : 2;
  }
  return slices;
}

function collect(by: Split["by"], slices: Uint8Array): Split {
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  for (let row = 0; row < slices.length; row++) counts[slices[row] as 0 | 1 | 2 | 3]++;
  const [train, calibration, validation] = [0, 1, 2].map((slice) => {
    const rows = new Uint32Array(counts[slice] as number);
    for (let row = 0, i = 0; row < slices.length; row++) if (slices[row] === slice) rows[i++] = row;
    return rows;
  }) as [Uint32Array, Uint32Array, Uint32Array];
  return { by, train, calibration, validation, left_out: counts[OUT] };
}

/** Whether these rows have different outcomes, so that there is something to learn or to measure. */
export function outcomesDiffer({ values }: Dataset, rows: Uint32Array): boolean {
  const first = values[rows[0] as number];
  return rows.some((row) => values[row] !== first);
}

function isUsable(dataset: Dataset, split: Split): boolean {
  const enough = (slice: Uint32Array, share: number) =>
    slice.length >= (dataset.rows * share) / 2 && outcomesDiffer(dataset, slice);
  return enough(split.train, TRAIN) && enough(split.calibration, CALIBRATION) && enough(split.validation, CALIBRATION);
}
