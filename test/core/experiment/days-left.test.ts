import { describe, expect, test } from "vitest";
import { analyse } from "../../../core/experiment/analysis.ts";
import type { Experiment } from "../../../core/experiment/experiment.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const experiment: Experiment = {
  ...{ id: 1, environment: "production", name: "Button", feature_key: "button", primary_metric_event: "buy" },
  ...{ min_samples_per_variant: 1_000, min_lift: 0.02, alpha: 0.05, seed: "experiment-1", enabled: true },
  arms: [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "on", weight: 50 },
  ],
  created_at: new Date(START).toISOString(),
  ended_at: null,
};

/** After so many days, with users and positives by arm. */
function resultAfter(days: number, a: [number, number], b: [number, number], of: Partial<Experiment> = {}) {
  const count = ([users, positives]: [number, number]) => ({ users, positives, first_at: START });
  return analyse({ ...experiment, ...of }, { A: count(a), B: count(b) }, START + days * DAY);
}

describe("the days an experiment still needs", () => {
  test("are those until every arm has its samples, as users arrive now", () => {
    // 50 users a day and arm: 900 more take 18 days.
    const result = resultAfter(2, [100, 10], [100, 12]);
    expect(result.days_left).toBe(18);
    expect(result.message).toBe("Not enough yet: 100 of 1000 users in arm A. About 18 more days, as users arrive now.");
    const uneven = [
      { name: "A", variant: "off", weight: 90 },
      { name: "B", variant: "on", weight: 10 },
    ];
    // 100 a day, of which B gets 10.
    expect(resultAfter(1, [90, 9], [10, 1], { arms: uneven }).days_left).toBe(99);
  });

  test("are, with the samples there, those until the interval leaves no doubt", () => {
    // 5 points better, 1.9 standard errors from none: not clear yet.
    const { decision, days_left, comparisons } = resultAfter(10, [1_000, 500], [1_000, 543]);
    expect(decision).toBe("continue");
    const [low, high] = comparisons[0]?.interval ?? [0, 0];
    expect(days_left).toBe(Math.ceil(10 * (((high - low) / 2 / 0.043) ** 2 - 1)));
    // No better than the control: the doubt is whether it could be by min_lift.
    expect(resultAfter(10, [1_000, 500], [1_000, 500]).days_left).toBeGreaterThan(10);
  });

  test("are not told when nobody can tell, and when it is decided, over or unsound", () => {
    expect(resultAfter(0.01, [10, 1], [10, 1]).days_left).toBeNull();
    expect(analyse(experiment, {}, START + DAY).days_left).toBeNull();
    expect(analyse(experiment, { A: { users: 5, positives: 1 }, B: { users: 5, positives: 1 } }).days_left).toBeNull();
    expect(resultAfter(10, [1_000, 100], [1_000, 200])).toMatchObject({ decision: "stop_promote_b", days_left: null });
    expect(resultAfter(10, [100, 1], [100, 1], { enabled: false }).days_left).toBeNull();
    expect(resultAfter(10, [100, 1], [500, 1])).toMatchObject({ sample_ratio: { ok: false }, days_left: null });
    // Exactly min_lift apart: it would take for ever.
    expect(resultAfter(10, [1_000, 500], [1_000, 519.999]).days_left).toBeNull();
  });
});
