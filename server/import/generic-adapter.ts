import type { PropertyValue } from "../../core/event/event.ts";
import type { Adapter } from "./adapter.ts";
import { readTime } from "./read-time.ts";

/** Which column, or which constant, gives each field of an event. */
export interface Mapping {
  readonly user_id: Source;
  readonly feature_key: Source;
  readonly event_type: Source;
  readonly timestamp: Source;
  /** Columns kept as properties under their own names, or under `name` of `column:name`. */
  readonly properties: readonly { readonly column: string; readonly name: string }[];
}

export type Source = { readonly column: string } | { readonly constant: string };

const REQUIRED = ["user_id", "feature_key", "event_type", "timestamp"] as const;
type Field = (typeof REQUIRED)[number];

/**
 * `user_id=visitorid,feature_key=:checkout,event_type=event,timestamp=time,properties=amount|qty:count`. A colon in
 * front is a constant instead of a column; in `properties`, `column:name` renames.
 *
 * @throws Error that says which part does not work
 */
export function parseMapping(text: string): Mapping {
  const given = new Map<string, string>();
  for (const part of text.split(",")) {
    const [, field, from] = /^\s*(\w+)\s*=\s*(.+?)\s*$/.exec(part) ?? [];
    if (
      field === undefined ||
      from === undefined ||
      !(REQUIRED.some((known) => known === field) || field === "properties")
    )
      throw new Error(
        `--mapping has "${part.trim()}"; its parts look like user_id=column, for ${REQUIRED.join(", ")} and properties`,
      );
    given.set(field, from);
  }
  const source = (field: Field): Source => {
    const from = given.get(field);
    if (from === undefined)
      throw new Error(`--mapping does not say where ${field} comes from: add ${field}=column or ${field}=:constant`);
    return from.startsWith(":") ? { constant: from.slice(1) } : { column: from };
  };
  return {
    user_id: source("user_id"),
    feature_key: source("feature_key"),
    event_type: source("event_type"),
    timestamp: source("timestamp"),
    properties: (given.get("properties") ?? "")
      .split("|")
      .filter((entry) => entry !== "")
      .map((entry) => {
        const [column, name] = entry.split(":") as [string, string | undefined];
        return { column, name: name ?? column };
      }),
  };
}

/** Any CSV, its columns named by a mapping. With `utc`, times without a zone mean UTC; else they are refused. */
export function genericAdapter(mapping: Mapping, { source, utc }: { source: string; utc: boolean }): Adapter {
  const sources = REQUIRED.map((field) => mapping[field]);
  const columns = sources.flatMap((from) => ("column" in from ? [from.column] : []));
  return {
    columns: [...new Set([...columns, ...mapping.properties.map(({ column }) => column)])],
    toEvent(row) {
      const read = (from: Source) => ("column" in from ? (row[from.column] ?? "").trim() : from.constant);
      const text = read(mapping.timestamp);
      const time = readTime(text, { utc });
      const date = time === undefined ? undefined : new Date(time);
      if (date === undefined || Number.isNaN(date.getTime()))
        return {
          code: "invalid_timestamp",
          message: `is "${text}"; give epoch seconds or milliseconds, or ISO 8601 with a zone (--zone UTC for times without one)`,
          field: "timestamp",
        };
      return {
        user_id: read(mapping.user_id),
        feature_key: read(mapping.feature_key),
        event_type: read(mapping.event_type),
        timestamp: date.toISOString(),
        properties: Object.fromEntries(
          mapping.properties.flatMap(({ column, name }) => {
            const value = (row[column] ?? "").trim();
            return value === "" ? [] : [[name, propertyValue(value)]];
          }),
        ),
        source,
      };
    },
  };
}

/** Numbers that come back as they were written become numbers, true and false booleans; the rest stays text. */
function propertyValue(text: string): PropertyValue {
  if (text === "true" || text === "false") return text === "true";
  // Not 007 or 1234567890123456789: ids that look like numbers would lose digits.
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(text)) return Number(text);
  return text;
}
