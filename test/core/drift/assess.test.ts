import { describe, expect, test } from "vitest";
import { assess, type Signs } from "../../../core/drift/assess.ts";

const sound: Signs = {
  shifts: [{ name: "attribute.plan", psi: 0.04, chance: 0.02, rows: 1000, grown: false }],
  calibration: { outcomes: 900, stated: 0.2, observed: 0.21, log_e: -2, highest_log_e: 0.1, alarm: false },
  propensities: { decisions: 500, arms: [], impossible: 0, highest_log_e: 0.3, alarm: false },
  age_seconds: 60,
  max_age_seconds: 3600,
  schema: 1,
  current_schema: 1,
  positives: { off: 50, on: 70 },
};
const of = (changed: Partial<Signs>) => assess({ ...sound, ...changed });
const shift = (psi: number, chance = 0.02, grown = false) => ({
  shifts: [{ name: "attribute.plan", psi, chance, rows: 1000, grown }],
});

describe("assess()", () => {
  test("finds nothing in a sound model, nor where nothing could be looked at", () => {
    expect(assess(sound)).toEqual({ health: "fresh", cause: null, findings: [] });
    expect(of({ shifts: [], calibration: null, propensities: null, max_age_seconds: null, positives: null })).toEqual({
      health: "fresh",
      cause: null,
      findings: [],
    });
  });

  test("warns above a PSI of 0.1, stops above 0.25, and never below what chance may do", () => {
    expect(of(shift(0.11)).health).toBe("warning");
    expect(of(shift(0.26)).health).toBe("stopped");
    expect(of(shift(0.26)).findings[0]?.sentence).toContain('"attribute.plan" is no longer distributed as in training');
    expect(of(shift(0.3, 0.4)).health).toBe("fresh");
  });

  test("only warns of what grew by itself, and says so", () => {
    const { health, cause, findings } = of(shift(3, 0.02, true));
    expect({ health, cause }).toEqual({ health: "warning", cause: null });
    expect(findings[0]?.sentence).toContain("It only grew, as it does with time");
  });

  test("stops on the calibration's alarm, and on the propensities', which says that none can be trusted", () => {
    const calibration = { outcomes: 900, stated: 0.2, observed: 0.3, log_e: 3, highest_log_e: 5, alarm: true };
    expect(of({ calibration })).toMatchObject({ health: "stopped", findings: [{ sign: "calibration" }] });
    const arms = [{ arm: "on", given: 300, expected: 250, z: 5 }];
    const propensities = { decisions: 500, arms, impossible: 0, highest_log_e: 9, alarm: true };
    const found = of({ propensities });
    expect(found.health).toBe("stopped");
    expect(found.findings[0]?.sentence).toContain("no propensity can be trusted");
    expect(found.findings[0]?.sentence).toContain('"on" was served 300 times where 250');
  });

  test.each([
    ["age", { age_seconds: 3601 }],
    ["schema", { schema: 2 }],
    ["evidence", { positives: { off: 49, on: 500 } }],
  ] as const)("stops what is stale by its %s, for that cause", (sign, changed) => {
    expect(of(changed)).toMatchObject({ health: "stopped", cause: "stale_model", findings: [{ sign }] });
  });

  test("takes the worst of several, and names it first; what is stale is stale whatever else it is", () => {
    expect(of({ ...shift(0.3), age_seconds: 9999 })).toMatchObject({
      ...{ health: "stopped", cause: "stale_model", findings: [{ sign: "age" }, { sign: "drift" }] },
    });
    expect(of(shift(0.3))).toMatchObject({ health: "stopped", cause: "drifted_model" });
  });
});
