import { describe, expect, test } from "vitest";
import { shareEProcess } from "../../../core/experiment/share-eprocess.ts";
import { seededRandom } from "../../../core/model/random.ts";
import vectors from "../../conformance/vectors/share_eprocess.json" with { type: "json" };

describe("shareEProcess() against the vectors", () => {
  test.each(vectors.vectors.map((vector) => [vector.id, vector] as const))("%s", (_, { input, expected }) => {
    const { path, highest } = shareEProcess(input.batches, input.direction as "decrease" | "increase");
    expected.logEValuePath.forEach((value, i) => {
      expect(Math.abs((path[i] as number) - value)).toBeLessThanOrEqual(1e-9 + 1e-9 * Math.abs(value));
    });
    const first = path.findIndex((log) => log >= Math.log(20));
    expect(first === -1 ? null : first).toBe(expected.firstRejectAt05);
    expect(Math.exp(-highest)).toBeCloseTo(expected.pValueAnytime, 9);
  });
});

/** A ramp from 5 to 50 % whose base rate drifts; outcomes of 0..1. */
function ramp(seed: number, ratio: number, tolerated?: number) {
  const random = seededRandom(seed);
  const batches = [0.05, 0.1, 0.25, 0.5].flatMap((share) =>
    Array.from({ length: 8 }, () => {
      const rate = 0.04 + 0.12 * random();
      const batch = { controlEvents: 0, treatmentEvents: 0, share };
      for (let user = 0; user < 400; user++) {
        const treated = random() < share;
        const outcome = random() < rate * (treated ? ratio : 1) ? 0.5 + 0.5 * random() : 0;
        if (treated) batch.treatmentEvents += outcome;
        else batch.controlEvents += outcome;
      }
      return batch;
    }),
  );
  return shareEProcess(batches, "decrease", tolerated).highest >= Math.log(20);
}
const share = (alarms: readonly boolean[]) => alarms.filter(Boolean).length / alarms.length;
const runs = (ratio: number, tolerated?: number) => Array.from({ length: 300 }, (_, i) => ramp(i, ratio, tolerated));

describe("shareEProcess()", () => {
  test("stays quiet in an A/A ramp with a drifting base rate", () => {
    expect(share(runs(1))).toBeLessThanOrEqual(0.05);
  });

  test("finds a group that does half as well", () => {
    expect(share(runs(0.5))).toBeGreaterThan(0.95);
  });

  test("takes a tolerated loss for none, also where the harm is smaller than it", () => {
    expect(share(runs(0.9, 0.9))).toBeLessThanOrEqual(0.05);
    expect(share(runs(1, 0.9))).toBeLessThanOrEqual(0.05);
  });

  test("says nothing without a comparison", () => {
    expect(shareEProcess([], "increase")).toEqual({ path: [], highest: 0 });
    expect(shareEProcess([{ controlEvents: 0, treatmentEvents: 9, share: 1 }], "increase").highest).toBe(0);
  });
});
