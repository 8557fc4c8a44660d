import { describe, expect, test } from "vitest";
import { analyse } from "../../../core/experiment/analysis.ts";
import type { ArmCount } from "../../../core/experiment/arm-count.ts";
import type { Experiment } from "../../../core/experiment/experiment.ts";

const experiment: Experiment = {
  id: 7,
  environment: "production",
  name: "Checkout button",
  feature_key: "checkout",
  primary_metric_event: "purchase",
  min_samples_per_variant: 100,
  min_lift: 0.02,
  alpha: 0.05,
  arms: [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "on", weight: 50 },
  ],
  seed: "experiment-7",
  enabled: true,
  created_at: "2026-01-01T00:00:00Z",
  ended_at: null,
};

const three: Experiment = {
  ...experiment,
  arms: [
    { name: "A", variant: "off", weight: 50 },
    { name: "B", variant: "blue", weight: 25 },
    { name: "C", variant: "green", weight: 25 },
  ],
};

describe("analyse()", () => {
  test("answers every field of the contract", () => {
    const result = analyse(experiment, { A: count(1000, 100), B: count(1000, 160) });
    expect(result).toMatchObject({
      experiment_id: 7,
      experiment_name: "Checkout button",
      feature_key: "checkout",
      primary_metric_event: "purchase",
      variant_stats: { A: { samples: 1000, positives: 100 }, B: { samples: 1000, positives: 160 } },
      rate_a: 0.1,
      rate_b: 0.16,
      min_lift: 0.02,
      min_samples_per_variant: 100,
      decision: "stop_promote_b",
    });
    expect(result.lift_b_vs_a).toBeCloseTo(0.06, 12);
  });

  test("compares with the interval, p-value and error of Welch's test", () => {
    const [comparison] = analyse(experiment, { A: count(1000, 100), B: count(1000, 160) }).comparisons;
    const stderr = Math.sqrt((0.1 * 0.9) / 1000 + (0.16 * 0.84) / 1000);
    expect(comparison?.standard_error).toBeCloseTo(stderr, 12);
    expect(comparison?.interval?.[0]).toBeCloseTo(0.06 - 1.961 * stderr, 5);
    expect(comparison?.interval?.[1]).toBeCloseTo(0.06 + 1.961 * stderr, 5);
    expect(comparison?.relative_lift).toBeCloseTo(0.6, 12);
    expect(comparison?.p_value).toBeGreaterThan(0.00005);
    expect(comparison?.p_value).toBeLessThan(0.0001);
    expect(comparison?.confidence_level).toBe(0.95);
  });

  test("continues while an arm is short of users, and says which", () => {
    const result = analyse(experiment, { A: count(60, 6), B: count(40, 20) });
    expect(result.decision).toBe("continue");
    expect(result.message).toBe("Not enough yet: 40 of 100 users in arm B.");
  });

  test("continues without any users", () => {
    const result = analyse(experiment, {});
    expect(result).toMatchObject({ decision: "continue", rate_a: 0, rate_b: 0, lift_b_vs_a: 0 });
    expect(result.comparisons[0]).toMatchObject({ interval: null, p_value: null, verdict: "undecided" });
    expect(result.sample_ratio).toMatchObject({ p_value: 1, ok: true });
  });

  test("does not promote a lift that may be chance, however large it looks", () => {
    const result = analyse(experiment, { A: count(120, 12), B: count(125, 18) });
    expect(result.lift_b_vs_a).toBeGreaterThan(0.02);
    expect(result.decision).toBe("continue");
    expect(result.message).toContain("Not clear yet");
  });

  test("does not promote a certain lift that is too small to matter", () => {
    const result = analyse(experiment, { A: count(200_000, 20_000), B: count(200_000, 21_000) });
    expect(result.comparisons[0]?.p_value).toBeLessThan(0.001);
    expect(result.decision).toBe("stop_keep_a");
    expect(result.message).toContain("by the 2.00 percentage points that would matter");
  });

  test("keeps A when B is certainly worse, even if only slightly and nothing was asked of the lift", () => {
    const counts = { A: count(200_000, 21_000), B: count(200_000, 20_000) };
    const { decision, message } = analyse({ ...experiment, min_lift: 0 }, counts);
    expect(decision).toBe("stop_keep_a");
    expect(message).toMatch(
      /B converts 0\.50 percentage points less than A \(95 % interval of the difference -0\.\d\d to -0\./,
    );
  });

  test("trusts no numbers when the exposed users do not fit the weights", () => {
    const result = analyse(experiment, { A: count(10_000, 1000), B: count(11_000, 2000) });
    expect(result.sample_ratio.ok).toBe(false);
    expect(result.sample_ratio.p_value).toBeLessThan(1e-10);
    expect(result.decision).toBe("continue");
    expect(result.message).toContain("no number here can be trusted");
    expect(result.message).toContain("A 10000, B 11000");
  });

  test("fits users to the weights asked for, not to equal ones", () => {
    expect(analyse(three, { A: count(10_000, 1000), B: count(5000, 500), C: count(5000, 500) }).sample_ratio.ok).toBe(
      true,
    );
    expect(analyse(three, { A: count(7000, 700), B: count(7000, 700), C: count(7000, 700) }).sample_ratio.ok).toBe(
      false,
    );
  });

  test("an arm without a single positive still gets an interval that is not a point", () => {
    const result = analyse(experiment, { A: count(5000, 0), B: count(5000, 900) });
    const [comparison] = result.comparisons;
    expect(comparison?.interval?.[0]).toBeGreaterThan(0.16);
    expect(comparison?.interval?.[1]).toBeLessThan(0.2);
    expect(comparison).toMatchObject({ relative_lift: null, relative_interval: null });
    expect(result.decision).toBe("stop_promote_b");
  });

  test("of several arms promotes the best and widens each interval for the number of questions", () => {
    const result = analyse(three, { A: count(10_000, 1000), B: count(5000, 700), C: count(5000, 800) });
    expect(result.decision).toBe("stop_promote_c");
    expect(result.message).toContain('Arm C ("green") is better than A');
    expect(result.comparisons.map(({ confidence_level }) => confidence_level)).toEqual([0.975, 0.975]);
    expect(result.rate_b).toBe(0.14);
  });

  test("of several arms keeps A only when none is left open", () => {
    const kept = analyse(three, { A: count(20_000, 2000), B: count(10_000, 900), C: count(10_000, 950) });
    expect(kept.decision).toBe("stop_keep_a");
    const open = analyse(three, { A: count(2000, 200), B: count(1000, 30), C: count(1000, 115) });
    expect(open.comparisons.map(({ verdict }) => verdict)).toEqual(["not_better", "undecided"]);
    expect(open.decision).toBe("continue");
  });

  test("without an effect raises a false alarm in about one experiment in twenty at one look", () => {
    const random = mulberry32(20260101);
    const draw = (users: number, rate: number) => {
      let positives = 0;
      for (let user = 0; user < users; user++) if (random() < rate) positives++;
      return count(users, positives);
    };
    let outside = 0;
    const experiments = 2000;
    for (let run = 0; run < experiments; run++) {
      const [comparison] = analyse(experiment, { A: draw(400, 0.2), B: draw(400, 0.2) }).comparisons;
      const [low, high] = comparison?.interval ?? [0, 0];
      if (low > 0 || high < 0) outside++;
    }
    // 5 % of 2,000 is 100 with a standard deviation of 9.7.
    expect(outside).toBeGreaterThan(60);
    expect(outside).toBeLessThan(140);
  });

  test("the interval covers a rare rate often enough, where few users convert", () => {
    const random = mulberry32(7);
    let covered = 0;
    const experiments = 2000;
    for (let run = 0; run < experiments; run++) {
      const draw = (rate: number) => {
        let positives = 0;
        for (let user = 0; user < 200; user++) if (random() < rate) positives++;
        return count(200, positives);
      };
      const [comparison] = analyse(experiment, { A: draw(0.005), B: draw(0.02) }).comparisons;
      const [low, high] = comparison?.interval ?? [0, 0];
      if (low <= 0.015 && 0.015 <= high) covered++;
    }
    expect(covered / experiments).toBeGreaterThan(0.94);
  });
});

function count(users: number, positives: number): ArmCount {
  return { users, positives };
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
