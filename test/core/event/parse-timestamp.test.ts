import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { parseTimestamp } from "../../../core/event/parse-timestamp.ts";

describe("parseTimestamp()", () => {
  test.each([
    ["2026-11-22T13:00:00Z", "2026-11-22T13:00:00.000Z"],
    ["2026-11-22t13:00:00z", "2026-11-22T13:00:00.000Z"],
    ["2026-11-22 13:00:00.5+00:00", "2026-11-22T13:00:00.500Z"],
    ["2026-11-22T13:00:00.123456+05:30", "2026-11-22T07:30:00.123Z"],
    ["2026-11-22T23:59-0800", "2026-11-23T07:59:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ])("reads %s", (text, expected) => {
    expect(new Date(parseTimestamp(text)).toISOString()).toBe(expected);
  });

  test.each(["2026-11-22T13:00:00", "2026-11-22T13:00:00.123", "2026-11-22"])("finds no zone in %s", (text) => {
    expect(parseTimestamp(text)).toBe("zoneless");
  });

  test.each([
    "",
    "now",
    "2025-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00+24:00",
    "12026-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "1763816400",
  ])("refuses %j", (text) => {
    expect(parseTimestamp(text)).toBe("invalid");
  });

  property.prop([fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })])(
    "gives back every instant that toISOString writes",
    (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
    },
  );
});
