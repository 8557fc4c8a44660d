/** Durations counted in fixed buckets: constant memory, one binary search a value. */
export interface Histogram {
  readonly count: number;
  /** Milliseconds. */
  readonly sum: number;
  readonly max: number;
  /** How many values lie in (BOUNDS[i - 1], BOUNDS[i]]; the last entry counts what is above every bound. */
  readonly counts: Float64Array;
  record(milliseconds: number): void;
  /**
   * The value below which the share `q` (0..1) of all values lies, interpolated inside its bucket: within 10 % of the
   * exact quantile between 0.01 ms and 100 s. 0 when nothing was recorded.
   */
  quantile(q: number): number;
}

/** Twelve values a decade (the E12 series), so neighbours differ by about 20 %. */
const MANTISSAS = [1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2];

/** Upper bounds in milliseconds, 0.01 ms to 100 s. */
export const BOUNDS: readonly number[] = [
  ...[-2, -1, 0, 1, 2, 3, 4].flatMap((decade) => MANTISSAS.map((mantissa) => Number(`${mantissa}e${decade}`))),
  100_000,
];

export function createHistogram(): Histogram {
  const counts = new Float64Array(BOUNDS.length + 1);
  const state = {
    count: 0,
    sum: 0,
    max: 0,
    counts,
    record(milliseconds: number): void {
      const bucket = bucketOf(milliseconds);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      state.count += 1;
      state.sum += milliseconds;
      if (milliseconds > state.max) state.max = milliseconds;
    },
    quantile(q: number): number {
      const rank = q * state.count;
      let below = 0;
      for (let i = 0; i < counts.length; i += 1) {
        const here = counts[i] ?? 0;
        if (here > 0 && below + here >= rank) {
          const from = BOUNDS[i - 1] ?? 0;
          const to = Math.min(BOUNDS[i] ?? state.max, state.max);
          return from + (Math.max(to, from) - from) * ((rank - below) / here);
        }
        below += here;
      }
      return state.max;
    },
  };
  return state;
}

function bucketOf(milliseconds: number): number {
  let low = 0;
  let high = BOUNDS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((BOUNDS[middle] as number) < milliseconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
