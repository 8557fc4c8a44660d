import type { Artifact } from "./artifact.ts";
import { calibrator } from "./calibration.ts";
import { createPredictor } from "./create-predictor.ts";
import { rowEncoder } from "./encoding.ts";
import type { FeatureRow, Scalar } from "./feature-row.ts";
import { rowValues } from "./row-values.ts";

/** What a model says of a stored decision. One object, written over by the next call. */
export interface RowScore {
  /** The learner's raw score. */
  raw: number;
  /** Calibrated, 0..1. */
  probability: number;
  /** What the model looked at, in the order of its encoding's features. */
  values: readonly Scalar[];
}

/** Scores stored rows as they would have been when they were served; null: the model knows nothing of that variant. */
export function createRowScorer(artifact: Artifact): (row: FeatureRow, variant: string) => RowScore | null {
  const { arms, encoding } = artifact;
  const valuesOf = rowValues(encoding);
  const encode = rowEncoder(encoding);
  const predictor = createPredictor(artifact.model);
  const probabilityOf = calibrator(artifact.calibration);
  const x = new Float64Array(encoding.columns.length);
  const score: RowScore = { raw: 0, probability: 0, values: [] };
  return (row, variant) => {
    const arm = arms === null ? 0 : arms.indexOf(variant);
    if (arm === -1) return null;
    score.values = valuesOf(row);
    encode(score.values, x, 0);
    score.raw = predictor.raw(x, 0, arm);
    score.probability = probabilityOf(score.raw);
    return score;
  };
}
