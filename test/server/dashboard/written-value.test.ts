import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { readValue, valueFormOf, writtenValue } from "../../../server/dashboard/parts/condition/written-value.ts";

const text = fc.string({ minLength: 1, maxLength: 20 });
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
const scalar = fc.oneof(text, number, fc.boolean());
const VALUES = [
  ["text", text],
  ["number", number],
  ["value", scalar],
  ["texts", fc.array(text, { minLength: 1 })],
  ["numbers", fc.array(number, { minLength: 1 })],
  ["values", fc.array(scalar, { minLength: 1 })],
] as const;

for (const [form, values] of VALUES)
  property.prop([values])(`what was written as ${form} is read back as it was`, (value) => {
    expect(readValue(writtenValue(value, form), form)).toEqual(value);
  });

test("a moment is read back as the same moment, whatever the browser's zone", () => {
  const iso = "2026-03-29T01:30:00.000Z";
  expect(readValue(writtenValue(iso, "time"), "time")).toBe(iso);
  expect(readValue(writtenValue(Date.parse(iso), "time"), "time")).toBe(iso);
});

test("what people write is what the operator takes", () => {
  expect(readValue("2.1", "text")).toBe("2.1");
  expect(readValue("2.1", "value")).toBe(2.1);
  expect(readValue('"2.1"', "value")).toBe("2.1");
  expect(readValue('pro,  "Paris, France" ,5', "values")).toEqual(["pro", "Paris, France", 5]);
  expect(readValue("10.0.0.0/8, 5", "texts")).toEqual(["10.0.0.0/8", "5"]);
  expect(readValue("18, 25", "numbers")).toEqual([18, 25]);
  expect(readValue('{"lat": 1}', "value")).toEqual({ lat: 1 });
  // Left to the server, which says what it wants.
  expect(readValue("eighteen", "number")).toBe("eighteen");
});

test("an operator that does not tell what it takes is given a list when it says so in words", () => {
  expect(valueFormOf({ takes: null, value: "a list of places" })).toBe("values");
  expect(valueFormOf({ takes: null, value: "a place" })).toBe("value");
  expect(valueFormOf({ takes: "time", value: "a moment" })).toBe("time");
});
