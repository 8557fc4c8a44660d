import type { Encoding } from "./encoding.ts";
import { type FeatureRow, isZeroWithoutEvents, type Scalar, sourceOf } from "./feature-row.ts";

/**
 * Reads the values an encoding looks at from stored rows, into one array that the next call writes over. A row names only the
 * event types its user has: of the others, counts, rates and sums are 0 where the user's events were known.
 */
export function rowValues({ features }: Encoding): (row: FeatureRow) => readonly Scalar[] {
  const columns = features.map(({ name }) => {
    const source = sourceOf(name);
    return { name, zero: source?.from === "profile" && isZeroWithoutEvents(source.measure) };
  });
  const values: Scalar[] = new Array(columns.length).fill(null);
  return (row) => {
    const known = row["events.count"] !== undefined;
    for (let i = 0; i < columns.length; i++) {
      const { name, zero } = columns[i] as (typeof columns)[number];
      values[i] = row[name] ?? (zero && known ? 0 : null);
    }
    return values;
  };
}
