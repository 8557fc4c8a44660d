import { type Dataset, type RawColumn, valueAt } from "./dataset.ts";
import { type Encoding, rowEncoder } from "./encoding.ts";
import { isZeroWithoutEvents, type Scalar, sourceOf } from "./feature-row.ts";

/** The learner's inputs of these rows, one row after another. */
export function encodeRows(dataset: Dataset, encoding: Encoding, rows: Uint32Array): Float64Array {
  const columns = encoding.columns.length;
  const readers = readersOf(dataset, encoding);
  const encode = rowEncoder(encoding);
  const x = new Float64Array(rows.length * columns);
  const values: Scalar[] = new Array(readers.length).fill(null);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < readers.length; j++) values[j] = (readers[j] as ReadValue)(rows[i] as number);
    encode(values, x, i * columns);
  }
  return x;
}

type ReadValue = (row: number) => Scalar;

/** An encoding may come from another dataset: what this one has no column for is missing, or 0 as of users without such events. */
function readersOf({ columns }: Dataset, { features }: Encoding): readonly ReadValue[] {
  const byName = new Map<string, RawColumn>(columns.map((column) => [column.name, column]));
  const known = byName.get("events.count");
  return features.map(({ name }): ReadValue => {
    const column = byName.get(name);
    if (column !== undefined) return (row) => valueAt(column, row);
    const source = sourceOf(name);
    if (known === undefined || source?.from !== "profile" || !isZeroWithoutEvents(source.measure)) return () => null;
    return (row) => (valueAt(known, row) === null ? null : 0);
  });
}
