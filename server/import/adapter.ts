import type { EventInput } from "../../core/event/event.ts";

/** An event made of a CSV row; still unchecked (check-event.ts), without its id. */
export type Draft = Omit<EventInput, "event_id">;

/** Why a row makes no event. */
export interface RowFault {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
}

/** How the rows of one kind of file become events. Pure. */
export interface Adapter {
  /** Columns the file must have. */
  readonly columns: readonly string[];
  toEvent(row: Readonly<Record<string, string>>): Draft | RowFault;
}

export function isFault(outcome: Draft | RowFault): outcome is RowFault {
  return "code" in outcome;
}

/** @throws Error that names the columns that are missing and those that are there */
export function requireColumns(adapter: Adapter, found: readonly string[]): void {
  const missing = adapter.columns.filter((column) => !found.includes(column));
  if (missing.length > 0)
    throw new MissingColumns(
      `The CSV has no column ${missing.join(", ")}: its header is ${found.join(",").slice(0, 200) || "empty"}`,
    );
}

/** The file is not one this adapter can read. */
export class MissingColumns extends Error {
  override name = "MissingColumns";
}
