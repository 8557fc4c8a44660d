import { describe, expect, test } from "vitest";
import { type Monitor, nextStage, type Ramp } from "../../../core/rollout/ramp.ts";
import { rampGroup } from "../../../core/rollout/ramp-group.ts";

const objective = (control: number, treatment: number, share = 0.1): Monitor => ({
  name: "the objective",
  harmful: "decrease",
  margin: 0,
  outcomes: [{ controlEvents: control, treatmentEvents: treatment, share }],
});
const ramp = (changed: Partial<Ramp> = {}): Ramp => ({
  shares: [0.1, 0.25, 0.5, 1],
  traffic: 0.1,
  held_seconds: 90_000,
  dwell_seconds: 86_400,
  users: [{ controlEvents: 3600, treatmentEvents: 400, share: 0.1 }],
  monitors: [objective(360, 44)],
  ...changed,
});

describe("nextStage()", () => {
  test("goes on share by share, and makes the challenger live at the end", () => {
    expect(nextStage(ramp())).toMatchObject({ action: "advance", traffic: 0.25 });
    expect(nextStage(ramp({ traffic: 0.25 }))).toMatchObject({ action: "advance", traffic: 0.5 });
    const last = nextStage(ramp({ traffic: 0.5 }));
    expect(last).toMatchObject({ action: "advance", traffic: 1 });
    expect(last.sentence).toMatch(/^Live: /);
  });

  test("holds until the dwell is over and enough outcomes are known", () => {
    expect(nextStage(ramp({ held_seconds: 100 })).sentence).toBe("Held at 10 %: for 100 of 86400 seconds so far");
    const few = nextStage(ramp({ users: [{ controlEvents: 700, treatmentEvents: 80, share: 0.1 }], monitors: [] }));
    expect(few).toMatchObject({ action: "hold", traffic: 0.1 });
  });

  test("returns when the objective got worse, also before the dwell is over", () => {
    const found = nextStage(ramp({ held_seconds: 10, monitors: [objective(720, 30)] }));
    expect(found).toMatchObject({ action: "return", traffic: 0 });
    expect(found.sentence).toContain("the objective decreased");
  });

  test("returns when a guardrail got worse by more than its margin, and not by less", () => {
    const refunds = (treatment: number, margin: number): Monitor => ({
      name: 'the guardrail "refund"',
      harmful: "increase",
      margin,
      outcomes: [{ controlEvents: 180, treatmentEvents: treatment, share: 0.1 }],
    });
    expect(nextStage(ramp({ monitors: [objective(360, 44), refunds(50, 0.1)] })).action).toBe("return");
    expect(nextStage(ramp({ monitors: [objective(360, 44), refunds(24, 1)] })).action).toBe("advance");
  });

  test("holds while harm is suspected but not shown", () => {
    const found = nextStage(ramp({ monitors: [objective(450, 31)] }));
    expect(found.action).toBe("hold");
    expect(found.sentence).toContain("too much to go on");
  });

  test("trusts no comparison of groups whose sizes do not fit", () => {
    const users = [{ controlEvents: 3600, treatmentEvents: 700, share: 0.1 }];
    const found = nextStage(ramp({ users, monitors: [objective(720, 30)] }));
    expect(found).toMatchObject({ action: "hold" });
    expect(found.sentence).toContain("can be trusted");
  });
});

describe("rampGroup()", () => {
  test("keeps those it took over while the share rises, and takes the share it should", () => {
    const taken = rampGroup("checkout");
    const units = Array.from({ length: 10_000 }, (_, i) => `user-${i}`);
    const tenth = units.filter((unit) => taken(unit, 0.1));
    expect(tenth.every((unit) => taken(unit, 0.25))).toBe(true);
    expect(Math.abs(tenth.length - 1000)).toBeLessThan(120);
  });
});
