import { checkEvent } from "../../core/event/check-event.ts";
import type { NewEvent } from "../../core/ports.ts";
import type { RowFault } from "./adapter.ts";
import type { ImportedRow } from "./csv-events.ts";

export interface ImportOptions {
  /** Stores a batch and resolves when it is durable: the file is read on only then. Says how many were new. */
  readonly store: (events: readonly NewEvent[]) => Promise<number>;
  /** Milliseconds since the epoch: rows after it are rejected. */
  readonly now: () => number;
  /** Rows to a transaction. */
  readonly batchSize: number;
  /** Rows read at most. */
  readonly limit: number;
  /** Told after each stored batch. */
  readonly onProgress?: ((soFar: Omit<ImportSummary, "rejects">) => void) | undefined;
}

export interface ImportSummary {
  readonly raw_rows_processed: number;
  /** Rows that made a valid event. */
  readonly normalized_rows: number;
  /** Of these, newly stored; the others were there before. */
  readonly inserted_rows: number;
  readonly rejected_rows: number;
  /** The first 100 rejected rows. */
  readonly rejects: readonly RowReject[];
}

export interface RowReject extends RowFault {
  readonly line: number;
}

const LISTED_REJECTS = 100;

/** Checks and stores rows in batches, holding one batch in memory. A row that is not valid is rejected alone. */
export async function importEvents(
  rows: AsyncIterable<ImportedRow>,
  { store, now, batchSize, limit, onProgress }: ImportOptions,
): Promise<ImportSummary> {
  const rejects: RowReject[] = [];
  let [read, valid, inserted] = [0, 0, 0];
  let batch: NewEvent[] = [];
  const soFar = () => ({
    raw_rows_processed: read,
    normalized_rows: valid,
    inserted_rows: inserted,
    rejected_rows: read - valid,
  });
  if (limit > 0)
    for await (const row of rows) {
      read++;
      const checked = "fault" in row ? row.fault : check(row.event, now());
      if ("code" in checked) {
        if (rejects.length < LISTED_REJECTS) rejects.push({ line: row.line, ...checked });
      } else {
        valid++;
        batch.push(checked);
      }
      if (batch.length === batchSize) {
        inserted += await store(batch);
        batch = [];
        onProgress?.(soFar());
      }
      if (read === limit) break;
    }
  if (batch.length > 0) inserted += await store(batch);
  return { ...soFar(), rejects };
}

function check(event: unknown, now: number): NewEvent | RowFault {
  const checked = checkEvent(event, now);
  return "event" in checked ? checked.event : checked.rejection;
}
