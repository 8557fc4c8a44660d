import { fc, test as property } from "@fast-check/vitest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addEvent, type Profile } from "../../../core/event/profile.ts";
import { eventStore } from "../../../server/postgres/events.ts";
import { profileStore } from "../../../server/postgres/profiles.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

let users = 0;

describe("profileStore()", () => {
  test("reads an unknown user as an empty profile", async () => {
    expect(await profileStore(database.sql).read("production", "nobody")).toEqual({});
  });

  property.prop(
    [
      fc.array(
        fc.record({
          event_type: fc.constantFrom("view", "buy", "__proto__"),
          at: fc.integer({ min: Date.UTC(2026, 8), max: Date.UTC(2026, 10) }),
          properties: fc.oneof(
            fc.constant({}),
            fc.record({ value: fc.integer({ min: -1000, max: 1000 }) }),
            fc.record({ amount: fc.constant("12"), price: fc.integer({ min: 0, max: 50 }) }),
          ),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      fc.infiniteStream(fc.nat()),
    ],
    { numRuns: 25 },
  )("equals core's addEvent over the same events, in any order and any batches", async (events, numbers) => {
    const expected = events.reduce((profile, one) => addEvent(profile, one), {} as Profile);
    const store = eventStore(database.sql);
    const user_id = `shuffled-${++users}`;
    const left = [...events];
    const writes: Promise<unknown>[] = [];
    while (left.length > 0) {
      const batch = Array.from({ length: Math.min(left.length, 1 + (numbers.next().value % 9)) }, () => {
        const [one] = left.splice(numbers.next().value % left.length, 1);
        return one as (typeof events)[number];
      });
      writes.push(
        store.append(
          "production",
          batch.map(({ event_type, at, properties }) => ({
            user_id,
            feature_key: "f",
            event_type,
            timestamp: new Date(at).toISOString(),
            properties,
          })),
        ),
      );
    }
    await Promise.all(writes);
    expect(Object.entries(await profileStore(database.sql).read("production", user_id)).sort()).toEqual(
      Object.entries(expected).sort(),
    );
  });
});
