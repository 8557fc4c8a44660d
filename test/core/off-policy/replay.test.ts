import { describe, expect, test } from "vitest";
import type { Pmf } from "../../../core/engine/distribution.ts";
import type { LoggedRow } from "../../../core/off-policy/logged-row.ts";
import { type ReplayOptions, replayPolicy } from "../../../core/off-policy/replay.ts";
import type { ReplayResult } from "../../../core/off-policy/replay-result.ts";
import { inSegment, madeUpLog, type World } from "./made-up-log.ts";

/** On helps in the segment and does nothing outside of it; it was served more often in the segment. */
const WORLD: World = {
  seed: 1,
  rows: 6000,
  served: (segment) => (segment ? { on: 0.7, off: 0.3 } : { on: 0.2, off: 0.8 }),
  rate: (variant, segment) => (variant === "on" && segment ? 0.3 : 0.2),
  harm: (variant) => (variant === "on" ? 0.1 : 0.05),
};
const OPTIONS: ReplayOptions = { arms: ["off", "on"], policy: 'always "on"', guardrails: 1 };
const always = (variant: string) => () => ({ [variant]: 1 });

describe("replayPolicy()", () => {
  test("answers what always serving a variant would have been worth, though it was served to other people", () => {
    const result = replay({ ...WORLD, rows: 20_000 }, always("on"), { level: 0.99 });
    expect(result.answered).toBe(true);
    // Of those who were served on, 28 % converted: they were the wrong people to ask.
    expect(result.outcome?.policy.interval).not.toSatisfy(holds(0.28));
    expect(result.outcome?.policy.interval).toSatisfy(holds(0.25));
    expect(result.outcome?.served.interval).toSatisfy(holds(0.235));
    expect(result.outcome?.difference.interval).toSatisfy(holds(0.015));
    for (const estimate of Object.values(result.estimates ?? {})) expect(estimate.interval).toSatisfy(holds(0.25));
    expect(result.guardrails[0]?.policy.interval).toSatisfy(holds(0.1));
    expect(result.evidence).toMatchObject({ decisions: 20_000, units: 20_000, never_drawn: {} });
  });

  test("says in words whether it would have been better or worse", () => {
    const best = (row: LoggedRow): Pmf => (inSegment(row) ? { on: 1 } : { off: 1 });
    const worst = (row: LoggedRow): Pmf => (inSegment(row) ? { off: 1 } : { on: 1 });
    expect(replay(WORLD, best, { policy: "the rule" }).verdict).toMatch(
      /^The rule would have been better than what was served: 0\.\d{4} a decision against 0\.\d{4}, a difference of \+0\.\d{4} \(95 % interval \+/,
    );
    expect(replay(WORLD, best, { direction: "decrease" }).verdict).toContain("worse than what was served");
    expect(replay(WORLD, worst).verdict).toContain("worse than what was served");
    const same = replay(WORLD, (row) => WORLD.served(inSegment(row)), { policy: "the same" });
    expect(same.verdict).toContain("not clearly different from what was served");
    expect(same.evidence).toMatchObject({ max_weight: 1, mean_weight: 1 });
  });

  test("covers the truth as often as it says, with several decisions a unit", () => {
    let covered = 0;
    const worlds = 400;
    for (let seed = 1; seed <= worlds; seed++) {
      const result = replay({ ...WORLD, seed, rows: 1000, rowsPerUnit: 4 }, always("on"), { level: 0.9 });
      if (holds(0.25)(result.outcome?.policy.interval)) covered++;
    }
    // 90 % of 400 with three standard deviations of 1.5 %.
    expect(covered / worlds).toBeGreaterThan(0.855);
    expect(covered / worlds).toBeLessThan(0.945);
  });

  test("leaves out what was not drawn, and says of how many decisions it knows nothing", () => {
    const rows = madeUpLog(WORLD).map((row, i) =>
      i % 10 === 1 ? { ...row, variant: "off", probability: 1, probabilities: { off: 1 } } : row,
    );
    const left_out = { without_propensity: 70, immature: 8 };
    const policy = (row: LoggedRow) => (row.at % 10 === 2 ? null : { on: 1 });
    const { evidence, verdict } = replayPolicy(rows, policy, { ...OPTIONS, left_out });
    expect(evidence.left_out).toEqual({ without_propensity: 70, certain: 600, immature: 8, policy_unknown: 600 });
    expect(evidence.decisions).toBe(4800);
    expect(verdict).toContain(
      "Left out: 8 whose outcome is not known yet, 600 that were certain, 70 that have no probabilities, 600 where nobody knows what it would serve.",
    );
  });

  test("values decisions for a variant that is gone as served, and for no other policy", () => {
    const served = () => ({ on: 0.4, off: 0.4, gone: 0.2 });
    const rate = (variant: string) => (variant === "gone" ? 0.9 : 0.2);
    const result = replay({ ...WORLD, served, rate }, always("on"));
    expect(result.outcome?.served.interval).toSatisfy(holds(0.34));
    expect(result.outcome?.policy.interval).toSatisfy(holds(0.2));
  });

  test("widens its intervals by what few decisions could not have drawn", () => {
    const rows = madeUpLog({ ...WORLD, served: () => ({ on: 0.5, off: 0.5 }) }).map((row) =>
      row.at % 200 === 0 ? { ...row, variant: "off", probabilities: { off: 0.5, blue: 0.5 } } : row,
    );
    const options = { ...OPTIONS, arms: ["off", "on", "blue"] };
    const whole = replayPolicy(madeUpLog({ ...WORLD, served: () => ({ on: 0.5, off: 0.5 }) }), always("on"), options);
    const part = replayPolicy(rows, always("on"), options);
    expect(part.evidence.never_drawn).toEqual({ on: expect.closeTo(0.005, 12) });
    expect(width(part) - width(whole)).toBeCloseTo(0.01, 2);
  });
});

describe("replayPolicy() refuses", () => {
  test("a variant that was never drawn, and says how much exploration would do", () => {
    const result = replay(WORLD, always("blue"), { arms: ["off", "on", "blue"], policy: 'always "blue"' });
    expect(result).toMatchObject({ answered: false, refusal: "never_drawn", outcome: null, estimates: null });
    expect(result.verdict).toBe(
      'Cannot say what always "blue" would have done: it serves variants in decisions where they had no chance of being drawn (100 % of them "blue"). Explore at 10 % for about 3,000 more decisions, then ask again.',
    );
  });

  test("a variant the feature no longer has", () => {
    const result = replay(WORLD, always("gone"));
    expect(result.refusal).toBe("never_drawn");
    expect(result.verdict).toContain('The feature no longer has "gone": ask about its present variants (off, on).');
  });

  test("a policy too different from what was served", () => {
    const rare = replay({ ...WORLD, served: () => ({ on: 0.005, off: 0.995 }) }, always("on"));
    expect(rare.refusal).toBe("too_little_evidence");
    expect(rare.verdict).toContain("Explore at 10 % for about 2,000 more decisions");
    const few = replay({ ...WORLD, rows: 120, served: () => ({ on: 0.5, off: 0.5 }) }, always("on"));
    expect(few.verdict).toMatch(/and 100 are needed\. About \d+ more units decided as these were would do\./);
  });

  test("many decisions of few units", () => {
    expect(replay({ ...WORLD, rowsPerUnit: 100 }, always("on")).refusal).toBe("too_little_evidence");
  });

  test("probabilities that are not true", () => {
    const rows = madeUpLog({ ...WORLD, served: () => ({ on: 0.5, off: 0.5 }) });
    const lost = rows.filter(({ variant, at }) => variant === "off" || at % 5 !== 0);
    const result = replayPolicy(lost, always("on"), OPTIONS);
    expect(result.refusal).toBe("wrong_propensities");
    expect(result.verdict).toContain("the weights average 0.8");
  });

  test("when nothing was stored, drawn, or known", () => {
    expect(replayPolicy([], always("on"), OPTIONS)).toMatchObject({ answered: false, refusal: "no_decisions" });
    const certain = replay({ ...WORLD, served: () => ({ off: 1 }) }, always("on"));
    expect(certain.refusal).toBe("no_draw");
    expect(certain.verdict).toContain("none of the decisions was drawn (6,000 were certain)");
    expect(replay(WORLD, () => null).refusal).toBe("policy_unknown");
    const young = replayPolicy([], always("on"), { ...OPTIONS, left_out: { immature: 5, certain: 5 } });
    expect(young.verdict).toContain("the outcome of none of the 5 drawn decisions of this time is known yet");
    expect(JSON.parse(JSON.stringify(certain))).toEqual(certain);
  });
});

function replay(world: World, policy: (row: LoggedRow) => Pmf | null, options: Partial<ReplayOptions> = {}) {
  return replayPolicy(madeUpLog(world), policy, { ...OPTIONS, ...options });
}

function holds(truth: number) {
  return (interval: readonly [number, number] | undefined) =>
    interval !== undefined && interval[0] <= truth && truth <= interval[1];
}

function width({ outcome }: ReplayResult): number {
  const [low, high] = outcome?.policy.interval ?? [0, 0];
  return high - low;
}
