/** Rows that were drawn at least once, ascending, and how often each was. */
export interface Drawn {
  readonly rows: Int32Array;
  readonly times: Int32Array;
}

/**
 * Draws bootstrap samples of `rows`, whole units at a time, with replacement: as many units as have about `size` rows, at
 * most as many as there are. `scale` is what the spread over such samples is multiplied by to be that over samples of all
 * units.
 *
 * @param units whose each row is, by row number. Default: each row is a unit
 */
export function bootstrap(
  rows: Int32Array,
  units: ArrayLike<number> | undefined,
  size: number,
): { draw(random: () => number): Drawn; scale: number } {
  const numbers = new Map<number, number>();
  const unitOf = rows.map((row, i) => {
    if (units === undefined) return i;
    const unit = units[row] as number;
    const known = numbers.get(unit) ?? numbers.size;
    numbers.set(unit, known);
    return known;
  });
  const count = units === undefined ? rows.length : numbers.size;
  const draws = Math.max(1, Math.min(count, Math.floor((size * count) / rows.length)));
  return {
    draw(random) {
      const times = new Int32Array(count);
      for (let i = 0; i < draws; i++) {
        const unit = Math.floor(random() * count);
        times[unit] = (times[unit] as number) + 1;
      }
      const timesOf = unitOf.map((unit) => times[unit] as number);
      return { rows: rows.filter((_, i) => timesOf[i] !== 0), times: timesOf.filter((n) => n !== 0) };
    },
    scale: Math.sqrt(draws / count),
  };
}
