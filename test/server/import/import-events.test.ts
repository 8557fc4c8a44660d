import { describe, expect, test } from "vitest";
import type { ImportedRow } from "../../../server/import/csv-events.ts";
import { importEvents } from "../../../server/import/import-events.ts";
import { importFile } from "../../../server/import/import-file.ts";

/** Endless rows that count how many were taken. */
function rows(count: number) {
  const taken = { count: 0 };
  async function* generate(): AsyncGenerator<ImportedRow> {
    for (let i = 0; i < count; i++) {
      taken.count++;
      yield {
        line: i + 2,
        event: {
          event_id: `e${i}`,
          user_id: "u",
          feature_key: "f",
          event_type: "view",
          timestamp: "2021-01-01T00:00:00.000Z",
          properties: {},
        },
      };
    }
  }
  return { taken, rows: generate() };
}

describe("importEvents()", () => {
  test("takes no row more than one batch ahead of what is stored", async () => {
    const source = rows(1000);
    let stored = 0;
    const summary = await importEvents(source.rows, {
      batchSize: 30,
      limit: Number.POSITIVE_INFINITY,
      now: () => Date.now(),
      store: async (events) => {
        expect(source.taken.count).toBeLessThanOrEqual(stored + 30);
        await Promise.resolve();
        stored += events.length;
        return events.length;
      },
    });
    expect(summary).toMatchObject({ raw_rows_processed: 1000, inserted_rows: 1000 });
    expect(stored).toBe(1000);
  });

  test("takes no row beyond the limit, and lists 100 rejects at most", async () => {
    const source = rows(1000);
    const summary = await importEvents(source.rows, {
      batchSize: 30,
      limit: 250,
      now: () => 0,
      store: () => Promise.reject(new Error("nothing to store: all rows are after 1970")),
    });
    expect(source.taken.count).toBe(250);
    expect(summary).toMatchObject({ raw_rows_processed: 250, normalized_rows: 0, rejected_rows: 250 });
    expect(summary.rejects.length).toBe(100);
  });
});

describe("importFile()", () => {
  test("reads at most one batch while one is on its way, and says rejected lines", async () => {
    const source = rows(1000);
    const rejected: number[] = [];
    let sent = 0;
    const totals = await importFile(source.rows, {
      batchSize: 40,
      send: async (events) => {
        await Promise.resolve();
        expect(source.taken.count).toBeLessThanOrEqual(sent + 80);
        sent += events.length;
        const rejections = [{ index: 1, code: "c", message: "m" }];
        return { saved_events: events.length - 2, duplicates: 1, rejected: 1, rejections };
      },
      onReject: (line) => rejected.push(line),
      onProgress: () => {},
    });
    expect(totals).toEqual({ rows: 1000, saved: 950, duplicates: 25, rejected: 25 });
    expect(rejected).toEqual(Array.from({ length: 25 }, (_, batch) => batch * 40 + 3));
  });

  test("stops with the error of a failed batch", async () => {
    const failing = importFile(rows(1000).rows, {
      batchSize: 40,
      send: () => Promise.reject(new Error("gone")),
      onReject: () => {},
      onProgress: () => {},
    });
    await expect(failing).rejects.toThrow("gone");
  });
});
