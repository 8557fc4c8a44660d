import { describe, expect, test } from "vitest";
import type { Pmf } from "../../../core/engine/distribution.ts";
import { armMeans } from "../../../core/off-policy/arm-means.ts";
import { evidenceBuilder } from "../../../core/off-policy/evidence.ts";
import { type GateInput, type GateResult, judgeChallenger } from "../../../core/off-policy/gate.ts";
import type { LoggedRow } from "../../../core/off-policy/logged-row.ts";
import { inSegment, madeUpLog, type World } from "./made-up-log.ts";

const EVEN = { on: 0.5, off: 0.5 };
const ON = { on: 1 };
const OFF = { off: 1 };
const GUARDRAIL = { name: "refund", harmful: "increase", margin: 0.5 } as const;

/** On helps in the segment and does harm outside of it. */
const MIXED: World = {
  seed: 1,
  rows: 8000,
  served: () => EVEN,
  rate: (variant, segment) => (variant === "off" ? 0.2 : segment ? 0.3 : 0.1),
};
const NO_EFFECT: World = { ...MIXED, rate: () => 0.2 };

describe("judgeChallenger()", () => {
  test("promotes who serves each segment what helps it", () => {
    const { promote, verdict, report } = judge(MIXED, () => EVEN, bySegment);
    expect(verdict).toContain("Promoted: it beats plain rollout and every fixed variant");
    expect(verdict).toContain("On 8,000 held-out decisions of 8,000 units");
    expect(promote).toBe(true);
    expect(report.gain).toMatchObject({ value: expect.closeTo(0.05, 1) });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("refuses who is no better than the best variant for everyone, however much better than the champion", () => {
    // On helps everyone: a model that finds that out is plain rollout to all.
    const world: World = { ...MIXED, rate: (variant) => (variant === "on" ? 0.3 : 0.2) };
    const { promote, verdict, report } = judge(
      world,
      () => OFF,
      () => ON,
    );
    expect((report.gain as { lower_bound: number }).lower_bound).toBeGreaterThan(0);
    expect(verdict).toContain('it does not beat plain rollout: "on" for everyone is worth');
    expect(promote).toBe(false);
  });

  test("refuses who is worse than the champion, and says so first", () => {
    const { promote, verdict } = judge(MIXED, bySegment, () => EVEN);
    expect(verdict).toContain("Not promoted: it does not beat plain rollout; it does not beat plain rollout:");
    expect(promote).toBe(false);
  });

  test("refuses a policy that decides as the champion does", () => {
    expect(judge(MIXED, bySegment, bySegment).promote).toBe(false);
  });

  test("takes a decrease for the gain where the objective says so", () => {
    const mirrored: World = { ...MIXED, rate: (variant, segment) => MIXED.rate(variant, !segment) };
    expect(judge(mirrored, () => EVEN, bySegment, { direction: "decrease" }).promote).toBe(true);
    expect(judge(MIXED, () => EVEN, bySegment, { direction: "decrease" }).promote).toBe(false);
  });

  test.each([0, 0.05])("without any effect promotes at most one of twenty, with a margin of %d", (margin) => {
    let promoted = 0;
    const worlds = 400;
    for (let seed = 1; seed <= worlds; seed++)
      if (judge({ ...NO_EFFECT, seed, rows: 1000 }, () => EVEN, bySegment, { margin }).promote) promoted++;
    expect(promoted / worlds).toBeLessThanOrEqual(0.05);
  });

  test("within its margin promotes who is not worse than a champion that beats plain rollout itself", () => {
    // Both beat every fixed variant; they differ for few.
    const nearly = (row: LoggedRow) => (row.at % 50 === 0 ? EVEN : bySegment(row));
    const tolerant = judge(MIXED, nearly, bySegment, { margin: 0.02 });
    expect(tolerant.promote).toBe(true);
    expect(judge(MIXED, bySegment, nearly, { margin: 0.02 }).promote).toBe(false);
  });

  test("needs enough of what was served to be like the challenger", () => {
    const served = () => ({ on: 0.02, off: 0.98 });
    const { verdict, promote } = judge({ ...MIXED, served }, () => OFF, bySegment);
    expect(verdict).toMatch(/units of its own, and 800 are needed/);
    expect(promote).toBe(false);
  });

  test("needs at least 200 units, not only many rows", () => {
    const { verdict } = judge({ ...MIXED, rowsPerUnit: 50 }, () => EVEN, bySegment);
    expect(verdict).toMatch(/held-out decisions of 160 units/);
    expect(verdict).toMatch(/as much about it as \d+ units of its own, and 200 are needed/);
  });

  test("stops at a weight above 50", () => {
    const served = (segment: boolean) => (segment ? { on: 0.5, off: 0.5 } : { on: 0.985, off: 0.015 });
    expect(judge({ ...MIXED, served }, () => EVEN, bySegment).verdict).toContain(
      "a single decision has the weight 67, and 50 is the most",
    );
  });

  test("finds out propensities that are not true", () => {
    const log = madeUpLog(MIXED).map((row) => ({ ...row, probability: row.variant === "on" ? 0.4 : 0.6 }));
    expect(
      judgeLog(
        log,
        () => EVEN,
        () => ON,
      ).verdict,
    ).toContain("the stored probabilities do not fit");
  });

  test("stops at probabilities that are not calibrated, or not known to be", () => {
    expect(judge(MIXED, () => EVEN, bySegment, { calibration_error: 0.06 }).verdict).toContain("off by 0.0600");
    expect(judge(MIXED, () => EVEN, bySegment, { calibration_error: Number.NaN }).promote).toBe(false);
  });

  test("stops at a guardrail that may be harmed, in its harmful direction only", () => {
    const harm = (variant: string) => (variant === "on" ? 0.2 : 0.02);
    // Who serves on to the segment only, as the champion does to half, serves it as often: it takes more of it to harm.
    const world: World = {
      ...MIXED,
      harm,
      rate: (variant, segment) => (variant === "off" ? 0.2 : segment ? 0.6 : 0.1),
    };
    const harmed = judge(world, () => OFF, bySegment, { guardrails: [GUARDRAIL] });
    expect(harmed.verdict).toContain('the guardrail "refund" may be harmed');
    expect(harmed.promote).toBe(false);
    const welcome = { ...GUARDRAIL, harmful: "decrease" } as const;
    expect(judge(world, () => OFF, bySegment, { guardrails: [welcome] }).promote).toBe(true);
  });

  test("tolerates of a guardrail what its margin says", () => {
    const guardrails = [GUARDRAIL];
    expect(judge(MIXED, () => EVEN, bySegment, { guardrails }).promote).toBe(true);
    // The same share of refunds, of which so few decisions cannot exclude a change of 1 %.
    const strict = judge(MIXED, () => EVEN, bySegment, { guardrails: [{ ...GUARDRAIL, margin: 0.01 }] });
    expect(strict.verdict).toContain("beyond the tolerated 1 % cannot be ruled out");
  });

  test("says that there is nothing to judge by", () => {
    expect(
      judgeLog(
        [],
        () => EVEN,
        () => ON,
      ),
    ).toMatchObject({
      promote: false,
      verdict: expect.stringContaining("there are no held-out decisions"),
    });
  });
});

function bySegment(row: LoggedRow): Pmf {
  return inSegment(row) ? ON : OFF;
}

type Policy = (row: LoggedRow) => Pmf;

function judge(world: World, champion: Policy, challenger: Policy, options: Partial<GateInput> = {}): GateResult {
  return judgeLog(madeUpLog(world), champion, challenger, options);
}

function judgeLog(
  log: readonly LoggedRow[],
  champion: Policy,
  challenger: Policy,
  options: Partial<GateInput> = {},
): GateResult {
  const builder = evidenceBuilder(["on", "off"], 1);
  for (const row of log) builder.add(row, [champion(row), challenger(row)]);
  const { evidence, policies } = builder.build();
  return judgeChallenger({
    evidence,
    champion: policies[0] ?? new Float64Array(),
    challenger: policies[1] ?? new Float64Array(),
    q: armMeans(evidence, evidence.rewards),
    names: { champion: "plain rollout", challenger: "model shop@2" },
    calibration_error: 0.01,
    guardrails: [],
    ...options,
  });
}
