import type { Artifact } from "../model/artifact.ts";
import type { RowScore } from "../model/row-scorer.ts";
import type { Shift } from "./assess.ts";
import { type Bins, quantileBins } from "./bins.ts";
import { featureBins } from "./feature-bins.ts";
import { growsWithTime, onlyGrew } from "./growth.ts";
import { chanceOfPsi, psi } from "./psi.ts";

/** Counts what a model is asked about, to compare it with what the model was trained on. */
export interface ShiftMeter {
  /** A decision, as the model scores it with the safe arm. One a user, as users come back. */
  add(score: RowScore): void;
  /** Of each input and of the score; the largest index first. Empty before the first decision. */
  shifts(): readonly Shift[];
}

/** @param trainRows how many rows the model was trained on */
export function createShiftMeter({ encoding, score_quantiles }: Artifact, trainRows: number): ShiftMeter {
  const inputs = encoding.features.map((feature) => ({ name: feature.name, ...counted(featureBins(feature)) }));
  const scores = counted(quantileBins(score_quantiles));
  let rows = 0;
  return {
    add({ raw, values }) {
      rows++;
      for (const [i, { count }] of inputs.entries()) count(values[i] ?? null);
      scores.count(raw);
    },
    shifts() {
      if (rows === 0) return [];
      return [{ name: "score", ...scores }, ...inputs]
        .map(({ name, shares, counts }) => ({
          name,
          grown: growsWithTime(name) && onlyGrew(shares, counts, trainRows),
          psi: psi(
            shares.map((share) => share * trainRows),
            counts,
          ),
          chance: chanceOfPsi(counts.length, rows, trainRows),
          rows,
        }))
        .sort((a, b) => b.psi - a.psi);
    },
  };
}

function counted<Value>({ shares, cellOf }: Bins<Value>) {
  const counts = shares.map(() => 0);
  return {
    shares,
    counts,
    count(value: Value): void {
      const cell = cellOf(value);
      counts[cell] = (counts[cell] as number) + 1;
    },
  };
}
