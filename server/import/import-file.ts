import type { EventInput } from "../../core/event/event.ts";
import type { RowFault } from "./adapter.ts";
import type { ImportedRow } from "./csv-events.ts";
import type { Ingested } from "./send-events.ts";

export interface ImportFileOptions {
  /** Stores a batch; resolves when it is durable. */
  readonly send: (events: readonly EventInput[]) => Promise<Ingested>;
  /** Called for each row that was not stored, with its line. */
  readonly onReject: (line: number, fault: RowFault) => void;
  /** Called after each stored batch. */
  readonly onProgress: (totals: ImportTotals) => void;
  /** Events to a batch at most. */
  readonly batchSize: number;
}

export interface ImportTotals {
  readonly rows: number;
  readonly saved: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** Characters of JSON to a batch at most: half of what the server takes, as a character may be several bytes. */
const BATCH_CHARACTERS = 2 * 1024 * 1024;

interface Batch {
  readonly events: readonly EventInput[];
  /** Of each event. */
  readonly lines: readonly number[];
  readonly rows: number;
  readonly faults: readonly { readonly line: number; readonly fault: RowFault }[];
}

/** Sends the rows batch by batch: while one is on its way the next is read, so two are in memory at most. */
export async function importFile(rows: AsyncIterable<ImportedRow>, options: ImportFileOptions): Promise<ImportTotals> {
  let totals: ImportTotals = { rows: 0, saved: 0, duplicates: 0, rejected: 0 };
  let sending: Promise<void> = Promise.resolve();

  async function send({ events, lines, rows, faults }: Batch): Promise<void> {
    for (const { line, fault } of faults) options.onReject(line, fault);
    const answer = events.length === 0 ? undefined : await options.send(events);
    for (const { index, ...fault } of answer?.rejections ?? []) options.onReject(lines[index] ?? 0, fault);
    totals = {
      rows: totals.rows + rows,
      saved: totals.saved + (answer?.saved_events ?? 0),
      duplicates: totals.duplicates + (answer?.duplicates ?? 0),
      rejected: totals.rejected + faults.length + (answer?.rejected ?? 0),
    };
    options.onProgress(totals);
  }

  for await (const batch of batches(rows, options.batchSize)) {
    await sending;
    sending = send(batch);
    // Its failure is thrown by the await above or below; until then it is not an unhandled one.
    sending.catch(() => {});
  }
  await sending;
  return totals;
}

async function* batches(rows: AsyncIterable<ImportedRow>, size: number): AsyncGenerator<Batch, void, undefined> {
  let batch = emptyBatch();
  for await (const row of rows) {
    batch.rows++;
    if ("fault" in row) batch.faults.push(row);
    else {
      batch.events.push(row.event);
      batch.lines.push(row.line);
      batch.characters += JSON.stringify(row.event).length;
    }
    if (batch.rows === size || batch.characters > BATCH_CHARACTERS) {
      yield batch;
      batch = emptyBatch();
    }
  }
  if (batch.rows > 0) yield batch;
}

function emptyBatch() {
  return {
    events: [] as EventInput[],
    lines: [] as number[],
    rows: 0,
    faults: [] as { line: number; fault: RowFault }[],
    characters: 0,
  };
}
