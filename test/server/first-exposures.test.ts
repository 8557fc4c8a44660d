import { describe, expect, test } from "vitest";
import { createFirstExposures } from "../../server/first-exposures.ts";

const NOON = Date.parse("2026-11-20T12:00:00Z");
const DAY = 86_400_000;

describe("createFirstExposures()", () => {
  test("knows what each user was exposed to, in whatever order it is asked", () => {
    const first = createFirstExposures();
    const things = Array.from({ length: 50 }, (_, thing) => thing);
    for (const thing of things) {
      expect(first.knows("ada", thing, NOON)).toBe(false);
      first.remember("ada", thing);
    }
    for (const order of [things, [...things].reverse(), [7, 7, 49, 0, 7]])
      for (const thing of order) expect(first.knows("ada", thing, NOON)).toBe(true);
    expect(first.knows("ada", 50, NOON)).toBe(false);
    expect(first.knows("bob", 0, NOON)).toBe(false);
    expect(first.knows("ada", 0, NOON)).toBe(true);
  });

  test("forgets everything on a new UTC day", () => {
    const first = createFirstExposures();
    first.knows("ada", 1, NOON);
    first.remember("ada", 1);
    expect(first.knows("ada", 1, NOON + DAY / 2 - 1)).toBe(true);
    expect(first.knows("ada", 1, NOON + DAY / 2)).toBe(false);
  });

  test("remembers at least a generation of users, and at most two", () => {
    const first = createFirstExposures({ generationSize: 10 });
    for (let user = 0; user < 25; user += 1) {
      expect(first.knows(`user-${user}`, 1, NOON)).toBe(false);
      first.remember(`user-${user}`, 1);
    }
    const known = Array.from({ length: 25 }, (_, user) => first.knows(`user-${user}`, 1, NOON));
    expect(known.slice(-10)).toEqual(Array(10).fill(true));
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(20);
  });

  test("counts a user's further exposures by what they take, and bounds them too", () => {
    const first = createFirstExposures({ generationSize: 2 });
    for (let thing = 0; thing < 17; thing += 1) first.remember("ada", thing);
    expect(first.knows("ada", 0, NOON)).toBe(false); // the first call begins the day
    for (let thing = 0; thing < 17; thing += 1) first.remember("ada", thing);
    for (let thing = 0; thing < 17; thing += 1) expect(first.knows("ada", thing, NOON)).toBe(true);
    for (let thing = 17; thing < 100; thing += 1) first.remember("ada", thing);
    const known = Array.from({ length: 100 }, (_, thing) => first.knows("ada", thing, NOON));
    expect(known.slice(-17)).toEqual(Array(17).fill(true));
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(2 * 33);
  });
});
