import { logMeanExp } from "./log-mean-exp.ts";

/** Events of two groups that were counted while the treatment had a certain share of the users. */
export interface ShareBatch {
  /** Events, or outcomes of 0..1 added up. */
  readonly controlEvents: number;
  readonly treatmentEvents: number;
  /** The treatment's share of the users of both groups, 0..1. */
  readonly share: number;
}

export interface ShareEvidence {
  /** ln of the evidence of harm after each batch. */
  readonly path: readonly number[];
  /** The largest of them; 0 without batches. Harm is shown at level alpha once it reaches ln(1 / alpha). */
  readonly highest: number;
}

const POINTS = 40;
/** Ratios between the groups' rates that are harm, from the first to the last evenly spaced logarithms. */
const HARMFUL = { decrease: [0.3, 0.98], increase: [1.02, 4] } as const;

/**
 * Evidence that the treatment's rate of events is lower (`decrease`), or higher, than the control's: exact under any course of
 * shares and of base rates, and valid however often it is looked at. Where the treatment does no harm, each event is the
 * treatment's with its share s at least; e is the mean over harmful ratios rho of
 * prod (q / s)^treatment ((1 - q) / (1 - s))^control, q = s rho / (s rho + 1 - s).
 *
 * Each user may be counted once only. Outcomes between 0 and 1 may be added up: x^r is concave, so that they give no more.
 *
 * @param tolerated ratio that is no harm yet, such as 0.9; the harmful ratios are then relative to it. Default 1
 */
export function shareEProcess(
  batches: readonly ShareBatch[],
  harmful: "decrease" | "increase",
  tolerated = 1,
): ShareEvidence {
  const [low, high] = HARMFUL[harmful];
  const logs = new Float64Array(POINTS);
  const path = batches.map(({ controlEvents, treatmentEvents, share }) => {
    const s = shareAt(share, tolerated);
    for (let i = 0; i < POINTS && share > 0 && share < 1; i++) {
      const q = shareAt(share, tolerated * low * (high / low) ** (i / (POINTS - 1)));
      (logs[i] as number) += treatmentEvents * Math.log(q / s) + controlEvents * Math.log((1 - q) / (1 - s));
    }
    return logMeanExp(logs);
  });
  return { path, highest: path.reduce((most, log) => Math.max(most, log), 0) };
}

/**
 * ln of the evidence that the groups' sizes do not fit their shares, either way; users are counted as events are. At most one
 * in 1,000 sound divisions reaches ln(1,000).
 */
export function shareMisfit(users: readonly ShareBatch[]): number {
  const sides = (["decrease", "increase"] as const).map((side) => shareEProcess(users, side).highest);
  // Two looks at the same users.
  return Math.max(...sides) - Math.LN2;
}

/** The treatment's share of the events when its rate is `ratio` times the control's. */
function shareAt(share: number, ratio: number): number {
  return (share * ratio) / (share * ratio + 1 - share);
}
