/**
 * PostgreSQL array literals, sent as one text parameter and cast in the statement (`${texts(names)}::text::text[]`):
 * twice as fast as the driver's own arrays, which describe and serialise every element.
 */
export function texts(values: readonly (string | null)[]): string {
  let literal = "{";
  for (let i = 0; i < values.length; i++) {
    if (i > 0) literal += ",";
    const value = values[i] as string | null;
    literal += value === null ? "NULL" : `"${SPECIAL.test(value) ? value.replace(/["\\]/g, "\\$&") : value}"`;
  }
  return `${literal}}`;
}

/** For numbers and booleans; null is NULL. */
export function plain(values: readonly (number | boolean | null)[]): string {
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

/** ISO texts of milliseconds since the epoch. */
export function times(values: readonly number[]): string {
  return `{${values.map((value) => new Date(value).toISOString()).join(",")}}`;
}

const SPECIAL = /["\\]/;
