import type { ShareBatch } from "./share-eprocess.ts";

/** Users of two groups and what became of them, by day and by the treatment's share. */
export interface ShareBatches {
  /** A user, once. In the order of time. `outcomes` are 0..1, one a measure. */
  add(user: {
    readonly at: number;
    readonly treated: boolean;
    /** The treatment's share of both groups at that time. */
    readonly share: number;
    readonly outcomes: readonly number[];
  }): void;
  users(): readonly ShareBatch[];
  outcomes(measure: number): readonly ShareBatch[];
}

const DAY = 86_400_000;

export function createShareBatches(): ShareBatches {
  const batches = new Map<string, { share: number; control: number[]; treatment: number[] }>();
  const read = (place: number): readonly ShareBatch[] =>
    [...batches.values()].map(({ share, control, treatment }) => ({
      controlEvents: control[place] ?? 0,
      treatmentEvents: treatment[place] ?? 0,
      share,
    }));
  return {
    add({ at, treated, share, outcomes }) {
      const key = `${Math.floor(at / DAY)}/${share}`;
      let batch = batches.get(key);
      if (batch === undefined) {
        batch = { share, control: [], treatment: [] };
        batches.set(key, batch);
      }
      const sums = treated ? batch.treatment : batch.control;
      for (const [place, outcome] of [1, ...outcomes].entries()) sums[place] = (sums[place] ?? 0) + outcome;
    },
    users: () => read(0),
    outcomes: (measure) => read(measure + 1),
  };
}
