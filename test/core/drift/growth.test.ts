import { describe, expect, test } from "vitest";
import { growsWithTime, onlyGrew } from "../../../core/drift/growth.ts";
import { seededRandom } from "../../../core/model/random.ts";

describe("growsWithTime()", () => {
  test.each([
    ["events.count", true],
    ["events.view.count", true],
    ["events.tenure_days", true],
    ["events.purchase.span_days", true],
    ["events.purchase.value_sum", true],
    ["events.per_day", false],
    ["events.recency_days", false],
    ["events.purchase.value_mean", false],
    ["attribute.count", false],
    ["attribute.visits.count", false],
  ])("says of %s: %s", (column, grows) => {
    expect(growsWithTime(column)).toBe(grows);
  });
});

describe("onlyGrew()", () => {
  const shares = [0.3, 0.3, 0.3, 0.1];
  const grew = (...counts: number[]) => onlyGrew(shares, counts, 5000);

  test("is true when users moved up, or got their first value", () => {
    expect(grew(100, 300, 500, 100)).toBe(true);
    expect(grew(300, 300, 400, 0)).toBe(true);
  });

  test("is false when users moved down, some of them, or lost their value", () => {
    expect(grew(500, 300, 100, 100)).toBe(false);
    expect(grew(450, 0, 450, 100)).toBe(false);
    expect(grew(0, 0, 600, 400)).toBe(false);
  });

  test("does not take chance for a move, nor a move for chance", () => {
    const random = seededRandom(5);
    for (let repeat = 0; repeat < 200; repeat++) {
      const counts = [0, 0, 0, 0];
      for (let i = 0; i < 500; i++) {
        const u = random();
        const cell = u < 0.3 ? 0 : u < 0.6 ? 1 : u < 0.9 ? 2 : 3;
        counts[cell] = (counts[cell] as number) + 1;
      }
      expect(grew(...counts)).toBe(true);
    }
  });
});
