/** The validation slice of an uplift model. */
export interface UpliftEvidence {
  /** Arms; arm 0 is the safe one. */
  readonly arms: number;
  /** Expected outcomes, rows x arms. */
  readonly q: Float64Array;
  /** What was served, with which probability (NaN: not known), and what came of it. */
  readonly served: Uint8Array;
  readonly probability: Float64Array;
  readonly y: Float64Array;
  readonly direction: "increase" | "decrease";
}

export interface UpliftMetrics {
  /**
   * What serving the best arm instead of the safe one really changed the mean outcome by, in the half of the rows for which
   * the model expects most of it, and in the other half: a ranking by uplift is worth something when the first is better.
   * Inverse probability weighted, each mean by its own weights; null where one of the two was never served.
   */
  readonly uplift_top_half: number | null;
  readonly uplift_bottom_half: number | null;
}

export function upliftMetrics(evidence: UpliftEvidence): UpliftMetrics {
  const { arms, q, served, direction } = evidence;
  const n = served.length;
  const sign = direction === "increase" ? 1 : -1;
  const best = Uint8Array.from({ length: n }, (_, row) => {
    let arm = 1;
    for (let a = 2; a < arms; a++)
      if (sign * ((q[row * arms + a] as number) - (q[row * arms + arm] as number)) > 0) arm = a;
    return arm;
  });
  const gain = Float64Array.from(
    best,
    (arm, row) => sign * ((q[row * arms + arm] as number) - (q[row * arms] as number)),
  );
  const order = Uint32Array.from({ length: n }, (_, row) => row).sort(
    (a, b) => (gain[b] as number) - (gain[a] as number) || a - b,
  );
  return {
    uplift_top_half: effectIn(order.subarray(0, n >> 1), evidence, best),
    uplift_bottom_half: effectIn(order.subarray(n >> 1), evidence, best),
  };
}

function effectIn(rows: Uint32Array, { served, probability, y }: UpliftEvidence, best: Uint8Array): number | null {
  let [treated, treatedWeight, safe, safeWeight] = [0, 0, 0, 0];
  for (const row of rows) {
    const weight = 1 / (probability[row] as number);
    if (!Number.isFinite(weight)) continue;
    if (served[row] === best[row]) {
      treated += weight * (y[row] as number);
      treatedWeight += weight;
    } else if (served[row] === 0) {
      safe += weight * (y[row] as number);
      safeWeight += weight;
    }
  }
  return treatedWeight === 0 || safeWeight === 0 ? null : treated / treatedWeight - safe / safeWeight;
}
