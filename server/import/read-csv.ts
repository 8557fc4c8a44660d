import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type CsvError, parse } from "csv-parse";

export interface CsvRow {
  /** Line of the file where the record ends, from 1. */
  readonly line: number;
  /** Columns by the header's names, trimmed. */
  readonly values: Readonly<Record<string, string>>;
}

/** What is not a record of this file. */
export interface CsvFault {
  /** From 1. Of what follows a quote that is never closed: the first. */
  readonly line: number;
  readonly message: string;
}

export type CsvItem = CsvRow | CsvFault;

export interface ReadCsvOptions {
  /** Called once with the header; throws when a column is missing. */
  readonly onHeader?: (columns: readonly string[]) => void;
  /** Default ",". */
  readonly delimiter?: string;
}

/** A record longer than this (an unclosed quote) is a fault, not a reason to fill the memory. */
const MAX_RECORD = 1024 * 1024;

/**
 * Reads CSV (RFC 4180 with a header line; gzip is recognised by its first bytes) row by row, as fast as it is consumed:
 * memory stays the same whatever the size. A fault may come a little before the rows above it. What follows a quote that is
 * never closed is one fault, as the parser reads nothing more.
 */
export async function* readCsv(
  input: Readable,
  { onHeader, delimiter = "," }: ReadCsvOptions = {},
): AsyncGenerator<CsvItem, void, undefined> {
  const faults: CsvFault[] = [];
  let headed = false;
  /** Of the last record or fault. */
  let end = 0;
  /** What comes after a record that is too long the parser does not read, and says so for each chunk. */
  let lost = false;
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      const columns = header.map((name) => name.trim());
      headed = true;
      onHeader?.(columns);
      return columns;
    },
    delimiter,
    info: true,
    max_record_size: MAX_RECORD,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_record: (record, { lines }) => {
      end = lines;
      return record;
    },
    on_skip: (error) => {
      if (error === undefined) return undefined;
      const unread = error.code === "CSV_MAX_RECORD_SIZE" || error.code === "CSV_QUOTE_NOT_CLOSED";
      if (!(unread && lost)) faults.push(unread ? openQuote(end + 1) : fault(error));
      lost ||= unread;
      end = lineOf(error);
      return undefined;
    },
  });
  const chunks = await unzipped(input);
  const feeding = pipeline(chunks, parser);
  // The parser's iterator below reports the same error.
  feeding.catch(() => {});
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    yield* faults.splice(0);
    yield { line: info.lines, values: record };
  }
  if (!headed) onHeader?.([]);
  yield* faults.splice(0);
}

interface Parsed {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

function fault(error: CsvError): CsvFault {
  return { line: lineOf(error), message: error.message };
}

function openQuote(line: number): CsvFault {
  return {
    line,
    message: `A quote is opened and not closed within ${MAX_RECORD / 1024 / 1024} MB: nothing from line ${line} to the end of the file was read. Close it, or double it, and import the file again`,
  };
}

function lineOf(error: CsvError): number {
  return "lines" in error && typeof error.lines === "number" ? error.lines : 0;
}

async function unzipped(input: Readable): Promise<AsyncIterable<Uint8Array> | Readable> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  const start = first.done ? Buffer.alloc(0) : first.value;
  async function* whole() {
    yield start;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  if (start[0] !== 0x1f || start[1] !== 0x8b) return whole();
  const gunzip = createGunzip();
  pipeline(whole(), gunzip).catch((error: Error) => gunzip.destroy(error));
  return gunzip;
}
