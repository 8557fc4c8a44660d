import type { Readable } from "node:stream";
import type { EventInput } from "../../core/event/event.ts";
import { type Adapter, isFault, type RowFault, requireColumns } from "./adapter.ts";
import { readCsv } from "./read-csv.ts";
import { rowEventId } from "./row-event-id.ts";

/** A row as an event with its id, or why it is none. */
export type ImportedRow =
  | { readonly line: number; readonly event: EventInput }
  | { readonly line: number; readonly fault: RowFault };

/**
 * The file's rows in order, one at a time.
 *
 * @throws MissingColumns before the first row when the file is of another kind
 */
export async function* csvEvents(
  input: Readable,
  adapter: Adapter,
  options: { delimiter?: string } = {},
): AsyncGenerator<ImportedRow, void, undefined> {
  for await (const item of readCsv(input, { ...options, onHeader: (columns) => requireColumns(adapter, columns) })) {
    const { line } = item;
    if ("message" in item) {
      yield { line, fault: { code: "invalid_csv", message: item.message } };
      continue;
    }
    const draft = adapter.toEvent(item.values);
    if (isFault(draft)) yield { line, fault: draft };
    else yield { line, event: { ...draft, event_id: rowEventId(draft, line) } };
  }
}
