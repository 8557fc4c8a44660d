import { describe, expect, test } from "vitest";
import { ecommerceAdapter } from "../../../server/import/ecommerce-adapter.ts";
import { genericAdapter, parseMapping } from "../../../server/import/generic-adapter.ts";
import { readTime } from "../../../server/import/read-time.ts";
import { rowEventId } from "../../../server/import/row-event-id.ts";

describe("readTime()", () => {
  test.each([
    ["1433221332117", "2015-06-02T05:02:12.117Z"],
    ["1433221332", "2015-06-02T05:02:12.000Z"],
    ["1433221332.5", "2015-06-02T05:02:12.500Z"],
    ["2021-01-01T12:00:00+02:00", "2021-01-01T10:00:00.000Z"],
  ])("reads %s", (text, expected) => {
    expect(new Date(readTime(text) ?? Number.NaN).toISOString()).toBe(expected);
  });

  test("reads times without a zone only when told that they are UTC", () => {
    for (const text of ["2021-01-01", "2021-01-01T00:00:00", "2021-01-01 00:00"]) {
      expect(readTime(text)).toBeUndefined();
      expect(readTime(text, { utc: true })).toBe(Date.UTC(2021, 0, 1));
    }
    expect(readTime("2021-02-30", { utc: true })).toBeUndefined();
    expect(readTime("", { utc: true })).toBeUndefined();
  });
});

describe("ecommerceAdapter()", () => {
  const row = { timestamp: "1433221332117", visitorid: "257597", event: "transaction", itemid: "355908" };

  test("makes a feature of each item, or a single one", () => {
    const event = {
      user_id: "257597",
      feature_key: "item_355908",
      event_type: "transaction",
      timestamp: "2015-06-02T05:02:12.117Z",
      properties: { itemid: "355908", transactionid: "9" },
      source: "s",
    };
    const withTransaction = { ...row, transactionid: "9" };
    expect(ecommerceAdapter({ mode: "item", source: "s" }).toEvent(withTransaction)).toEqual(event);
    expect(ecommerceAdapter({ mode: "single", source: "s" }).toEvent(withTransaction)).toMatchObject({
      feature_key: "dataset_import",
    });
  });
});

describe("genericAdapter()", () => {
  test("reads the CDNOW columns: constants, a bare date as UTC, numbers as numbers", () => {
    const mapping = parseMapping(
      "user_id=customer,feature_key=:repeat_purchase,event_type=:purchase,timestamp=date,properties=number|amount:value",
    );
    const adapter = genericAdapter(mapping, { source: "cdnow", utc: true });
    expect(adapter.columns).toEqual(["customer", "date", "number", "amount"]);
    expect(adapter.toEvent({ customer: "00001", date: "2021-01-01", number: "1", amount: "11.77" })).toEqual({
      user_id: "00001",
      feature_key: "repeat_purchase",
      event_type: "purchase",
      timestamp: "2021-01-01T00:00:00.000Z",
      properties: { number: 1, value: 11.77 },
      source: "cdnow",
    });
  });

  test("keeps what only looks like a number as text, and leaves out what is empty", () => {
    const mapping = parseMapping("user_id=u,feature_key=:f,event_type=:e,timestamp=t,properties=a|b|c|d|e");
    const adapter = genericAdapter(mapping, { source: "s", utc: false });
    const row = { u: "1", t: "0", a: "007", b: "12345678901234567", c: "", d: "true", e: "-1.50" };
    expect(adapter.toEvent(row)).toMatchObject({
      properties: { a: "007", b: "12345678901234567", d: true, e: -1.5 },
    });
  });

  test("refuses a time without a zone unless one is given", () => {
    const mapping = parseMapping("user_id=u,feature_key=:f,event_type=:e,timestamp=t");
    expect(genericAdapter(mapping, { source: "s", utc: false }).toEvent({ u: "1", t: "2021-01-01" })).toMatchObject({
      code: "invalid_timestamp",
      message: expect.stringContaining("--zone UTC"),
    });
  });

  test.each([
    ["user_id=u,feature_key=f,event_type=e", "timestamp"],
    ["user_id=u,colour=c", "colour=c"],
    ["user_id", '"user_id"'],
    ["user_id=", '"user_id="'],
  ])("refuses the mapping %s and says why", (text, words) => {
    expect(() => parseMapping(text)).toThrow(words);
  });
});

describe("rowEventId()", () => {
  test("differs by content, by line and by source, and never by run", () => {
    const event = {
      user_id: "u",
      feature_key: "f",
      event_type: "e",
      timestamp: "2021-01-01T00:00:00.000Z",
      properties: { a: 1 },
      source: "s",
    };
    const id = rowEventId(event, 2);
    expect(id).toBe("doVPexsgl6WPM6BwOgUpZO");
    const others = [
      rowEventId(event, 3),
      rowEventId({ ...event, source: "t" }, 2),
      rowEventId({ ...event, user_id: "v" }, 2),
    ];
    expect(new Set([id, ...others]).size).toBe(4);
  });
});
