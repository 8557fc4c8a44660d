import { describe, expect, test } from "vitest";
import { sureness } from "../../bench/learning/confidence.ts";

describe("decisions with a confidence of at least 0.9", () => {
  // Before what bags do not show was added, 82 to 87 % were right (docs/decisions/0080-boosted-trees.md).
  test.each([
    [1000, 2, 24],
    [700, 1, 24],
  ])("are right in 9 of 10 cases, by trees of %i rows and %i arms", (rows, arms, worlds) => {
    const { asked, sure, right } = sureness("trees", { rows, arms, worlds });
    expect(sure).toBeGreaterThan(0.02 * asked);
    expect(right).toBeGreaterThanOrEqual(0.9);
  });
});
