import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { CLOCK_SKEW, checkEvent } from "../../../core/event/check-event.ts";
import { EventInput } from "../../../core/event/event.ts";

const NOW = Date.parse("2026-11-22T13:00:00Z");
const GOOD = {
  user_id: " ada ",
  feature_key: "checkout",
  event_type: "view",
  timestamp: "2026-11-22T14:00:00.1239+01:00",
  properties: { latency_ms: 120_000, error_rate: 0, cpu_pct: 100, mem_pct: null, plan: "pro", new: true },
};

describe("checkEvent()", () => {
  test("trims names and brings the time to UTC with milliseconds", () => {
    expect(checkEvent({ ...GOOD, event_id: "e1", source: "shop" }, NOW)).toEqual({
      event: { ...GOOD, user_id: "ada", timestamp: "2026-11-22T13:00:00.123Z", event_id: "e1", source: "shop" },
    });
  });

  test("takes what clients leave out or send as null", () => {
    const { properties: _, ...bare } = GOOD;
    expect(checkEvent({ ...bare, source: null, event_id: null, properties: null }, NOW)).toMatchObject({
      event: { properties: {} },
    });
  });

  test.each([
    ["is a string", "invalid_type", undefined, "a text"],
    ["is null", "invalid_type", undefined, null],
    ["is a list", "invalid_type", undefined, [GOOD]],
    ["missing", "missing_field", "user_id", { ...GOOD, user_id: undefined }],
    ["is a number", "invalid_type", "user_id", { ...GOOD, user_id: 7 }],
    ["is empty", "empty_field", "user_id", { ...GOOD, user_id: " \t" }],
    ["is empty", "empty_field", "feature_key", { ...GOOD, feature_key: "" }],
    ["101 characters", "too_long", "event_type", { ...GOOD, event_type: "x".repeat(101) }],
    ["NUL", "invalid_text", "user_id", { ...GOOD, user_id: "a\0b" }],
    ["surrogate", "invalid_text", "user_id", { ...GOOD, user_id: "a\ud800" }],
    ["is empty", "empty_field", "event_id", { ...GOOD, event_id: "" }],
    ["is a number", "invalid_type", "source", { ...GOOD, source: 1 }],
    ["not a field", "unknown_field", "colour", { ...GOOD, colour: "red" }],
    ["not a field", "unknown_field", "__proto__", JSON.parse('{"__proto__": 1}')],
    ["missing", "missing_field", "timestamp", { ...GOOD, timestamp: undefined }],
    ["is a number", "invalid_type", "timestamp", { ...GOOD, timestamp: NOW }],
    ["without a zone", "timestamp_without_zone", "timestamp", { ...GOOD, timestamp: "2026-11-22T13:00:00" }],
    ["without a zone", "timestamp_without_zone", "timestamp", { ...GOOD, timestamp: "2026-11-22" }],
    ["2026-02-30", "invalid_timestamp", "timestamp", { ...GOOD, timestamp: "2026-02-30T13:00:00Z" }],
    ["yesterday", "invalid_timestamp", "timestamp", { ...GOOD, timestamp: "yesterday" }],
    ["after now", "future_timestamp", "timestamp", { ...GOOD, timestamp: "2026-11-22T13:01:00.001Z" }],
    ["is a list", "invalid_type", "properties", { ...GOOD, properties: [] }],
    ["is an object", "invalid_property", "properties.a", { ...GOOD, properties: { a: {} } }],
    ["is a list", "invalid_property", "properties.a", { ...GOOD, properties: { a: [1] } }],
    ["not a finite", "invalid_property", "properties.a", { ...GOOD, properties: { a: Number.POSITIVE_INFINITY } }],
    ["not a finite", "invalid_property", "properties.a", { ...GOOD, properties: { a: Number.NaN } }],
    ["2001", "too_long", "properties.a", { ...GOOD, properties: { a: "x".repeat(2001) } }],
    ["rename", "forbidden_key", "properties.__proto__", { ...GOOD, properties: JSON.parse('{"__proto__": 1}') }],
    ["rename", "forbidden_key", "properties.constructor", { ...GOOD, properties: { constructor: 1 } }],
    ["0 to 120000", "out_of_range", "properties.latency_ms", { ...GOOD, properties: { latency_ms: -0.1 } }],
    ["0 to 120000", "out_of_range", "properties.latency_ms", { ...GOOD, properties: { latency_ms: 120_001 } }],
    ["is a string", "out_of_range", "properties.latency_ms", { ...GOOD, properties: { latency_ms: "12" } }],
    ["0 to 1", "out_of_range", "properties.error_rate", { ...GOOD, properties: { error_rate: 1.01 } }],
    ["0 to 100", "out_of_range", "properties.cpu_pct", { ...GOOD, properties: { cpu_pct: 101 } }],
    ["0 to 100", "out_of_range", "properties.mem_pct", { ...GOOD, properties: { mem_pct: -1 } }],
    ["is 1e+300", "out_of_range", "properties.value", { ...GOOD, properties: { value: 1e300 } }],
  ])("says %j: %s in %s", (words, code, field, input) => {
    const outcome = checkEvent(input, NOW);
    expect(outcome).toMatchObject({ rejection: { code, message: expect.stringContaining(words) } });
    expect("rejection" in outcome && outcome.rejection.field).toBe(field);
  });

  test("lets a client's clock be a minute ahead", () => {
    const timestamp = (ahead: number) => new Date(NOW + ahead).toISOString();
    expect(checkEvent({ ...GOOD, timestamp: timestamp(CLOCK_SKEW) }, NOW)).toHaveProperty("event");
    expect(checkEvent({ ...GOOD, timestamp: timestamp(CLOCK_SKEW + 1) }, NOW)).toHaveProperty("rejection");
  });

  const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.array(fc.nat()));
  property.prop(
    [
      fc.record(
        {
          user_id: fc.oneof(fc.string({ maxLength: 210 }), scalar),
          feature_key: fc.string({ maxLength: 110 }),
          event_type: fc.string(),
          timestamp: fc.oneof(
            fc.date({ min: new Date(0), max: new Date(NOW), noInvalidDate: true }).map((date) => date.toISOString()),
            fc.constantFrom("2026-11-22T13:00:00+05:30", "2026-11-22T13:00Z", "2026-13-01T00:00:00Z", "2026-11-22"),
          ),
          properties: fc.dictionary(fc.string(), scalar),
          event_id: fc.string(),
          source: fc.oneof(fc.string({ maxLength: 110 }), fc.nat()),
        },
        { requiredKeys: ["user_id", "feature_key", "event_type", "timestamp"] },
      ),
    ],
    { numRuns: 2000 },
  )("accepts exactly what the documented schema accepts", (input) => {
    const outcome = checkEvent(input, NOW);
    const parsed = EventInput.safeParse(input);
    if ("event" in outcome)
      expect(parsed.data).toEqual({ ...outcome.event, timestamp: input.timestamp, source: outcome.event.source });
    else if (parsed.success)
      // What no schema says: names with a meaning, text PostgreSQL cannot store.
      expect(["forbidden_key", "invalid_text", "out_of_range"]).toContain(outcome.rejection.code);
  });
});
