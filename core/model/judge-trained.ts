import type { Json } from "../json.ts";
import type { Artifact } from "./artifact.ts";
import { calibrator } from "./calibration.ts";
import { createPredictor } from "./create-predictor.ts";
import type { Dataset } from "./dataset.ts";
import { encodeRows } from "./encode-rows.ts";
import { FEATURE_SCHEMA } from "./feature-row.ts";
import type { FittedLearner, Slice } from "./fit-learner.ts";
import { MIN_POSITIVES } from "./positives.ts";
import { judge } from "./promotion.ts";
import type { ArmCount } from "./require-trainable.ts";
import { upliftMetrics } from "./uplift-metrics.ts";

/** What a judge of uplift models is given: the new model on rows that it has not seen. */
export interface JudgeEvidence {
  readonly dataset: Dataset;
  /** Rows of the dataset: the validation slice. */
  readonly rows: Uint32Array;
  /** The safe one first: those of the dataset's that were served. */
  readonly arms: readonly string[];
  /** Expected outcomes, 0..1, calibrated: rows x arms. */
  readonly q: Float64Array;
  readonly artifact: Artifact;
}

export interface Judged {
  readonly promote: boolean;
  /** In words. */
  readonly verdict: string;
  /** Numbers to go with the words; kept in the metrics as `gate`. */
  readonly report: Json;
}

/** The validation slice: rows that the model has not seen. */
interface HeldOut {
  readonly dataset: Dataset;
  /** Of the dataset. */
  readonly rows: Uint32Array;
  /** The same as learners see them. */
  readonly slice: Slice;
}

interface UpliftJudging {
  readonly direction?: "increase" | "decrease" | undefined;
  readonly judge?: ((evidence: JudgeEvidence) => Judged) | undefined;
}

/** Whether a model is to go live, why in words, and the numbers that go with them. */
export interface Verdict {
  readonly verdict: string;
  readonly promote: boolean;
  readonly metrics: Readonly<Record<string, Json>>;
}

/** By promotion.ts, against the base rate and the live model. */
export function judgePropensity(
  { dataset, rows, slice }: HeldOut,
  { probabilities }: Pick<FittedLearner, "probabilities">,
  champion: Artifact | undefined,
): Verdict {
  const { verdict, promote, gain } = judge({
    labels: slice.y,
    probabilities,
    units: slice.units,
    champion: champion === undefined ? null : propensitiesOf(champion, dataset, rows),
  });
  return { verdict, promote, metrics: { ...gain } };
}

/** What an earlier model says of these rows; null when it is not of our feature schema, or says something else. */
function propensitiesOf(artifact: Artifact, dataset: Dataset, rows: Uint32Array): Float64Array | null {
  if (artifact.target !== "propensity" || artifact.feature_schema !== FEATURE_SCHEMA) return null;
  const x = encodeRows(dataset, artifact.encoding, rows);
  const predictor = createPredictor(artifact.model);
  const probabilityOf = calibrator(artifact.calibration);
  const columns = artifact.encoding.columns.length;
  return Float64Array.from(rows, (_, i) => probabilityOf(predictor.raw(x, i * columns, 0)));
}

/** By the judge, where there is one; and never without enough positives of each arm. */
export function judgeUplift(
  { dataset, rows, slice }: HeldOut,
  artifact: Artifact,
  counts: readonly ArmCount[],
  { direction = "increase", judge: by }: UpliftJudging,
): Verdict {
  const arms = artifact.arms as readonly string[];
  const predictor = createPredictor(artifact.model);
  const probabilityOf = calibrator(artifact.calibration);
  const q = new Float64Array(slice.y.length * arms.length);
  for (let i = 0; i < slice.y.length; i++)
    for (let arm = 0; arm < arms.length; arm++)
      q[i * arms.length + arm] = probabilityOf(predictor.raw(slice.x, i * slice.columns, arm));
  const metrics = upliftMetrics({
    arms: arms.length,
    q,
    served: slice.arms?.index as Uint8Array,
    probability: Float64Array.from(rows, (row) => dataset.probability?.[row] ?? Number.NaN),
    y: slice.y,
    direction,
  });
  const judged = by?.({ dataset, rows, arms, q, artifact }) ?? {
    promote: false,
    verdict: "Kept as a candidate: nothing compared it with what is served now.",
    report: null,
  };
  const few = counts.filter(({ rows: seen, positives }) => seen > 0 && positives < MIN_POSITIVES);
  const found = few.map(({ arm, positives }) => `${arm} has ${positives}`).join(", ");
  const verdict =
    few.length === 0
      ? judged.verdict
      : `Kept as a candidate: stale: fewer than ${MIN_POSITIVES} positives an arm (${found}). ${judged.verdict}`;
  return { verdict, promote: judged.promote && few.length === 0, metrics: { ...metrics, gate: judged.report } };
}
