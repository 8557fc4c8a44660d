import type { Json } from "../json.ts";
import { Invalid } from "../ports.ts";
import { ARTIFACT_FORMAT, type Artifact, canonicalJson, type LogisticModel } from "./artifact.ts";
import { type Calibration, calibrator, chooseCalibration, fitPlatt } from "./calibration.ts";
import { type Dataset, type RawColumn, valueAt } from "./dataset.ts";
import { type Encoding, rowEncoder } from "./encoding.ts";
import { FEATURE_SCHEMA, type Scalar } from "./feature-row.ts";
import { fitEncoding } from "./fit-encoding.ts";
import { fitBestLogistic, type Problem } from "./logistic.ts";
import { bestThresholdByF1, probabilityMetrics, thresholdMetrics } from "./metrics.ts";
import type { Learner } from "./model.ts";
import { createPredictor } from "./predictor.ts";
import { judge } from "./promotion.ts";
import { type Split, splitDataset } from "./split-dataset.ts";
import { fitSvm } from "./svm.ts";

export interface TrainOptions {
  readonly learner: Learner | "auto";
  readonly seed: number;
  /** sha256 of a text, hex. */
  readonly hash: (text: string) => string;
  /** Milliseconds on any clock: times the learners for the benchmark. */
  readonly now: () => number;
  /** Called with the share done, 0..1, and what is being done, in words. */
  readonly onProgress?: ((progress: number, stage: string) => void) | undefined;
}

/** What `ModelStore.save` needs and training knows, and whether the model should go live. */
export interface TrainedModel {
  readonly learner: Learner;
  readonly artifact: Json;
  readonly hash: string;
  readonly seed: number;
  readonly metrics: Json;
  /** The contract's `process` without `duration_ms`, which the caller measures. */
  readonly process: Readonly<Record<string, Json>>;
  readonly verdict: string;
  readonly promote: boolean;
}

/** Fewest examples, and fewest of each class, that are trained on. */
export const MIN_EXAMPLES = 50;
export const MIN_OF_EACH_CLASS = 10;
const QUANTILES = 200;

/**
 * Fits the learners on the train slice, calibrates them on the calibration slice, measures them on the validation slice and
 * keeps the one with the lowest log loss there. The same dataset and seed give the same artifact, byte for byte.
 * Whether it is to go live is said by promotion.ts.
 *
 * @throws Invalid `insufficient_data` or `one_class`: the message says how much there is and how much is needed;
 * `learner_failed` when none of the learners could be fitted
 */
export function train(dataset: Dataset, options: TrainOptions): TrainedModel {
  const progress = options.onProgress ?? (() => {});
  requireEnough(dataset);
  progress(0, "splitting");
  const split = splitDataset(dataset);
  requireBothClasses(dataset, split);
  progress(0.05, "encoding");
  const encoding = fitEncoding(dataset, split.train);
  const slices: Slices = {
    train: encodeRows(dataset, encoding, split.train),
    calibration: encodeRows(dataset, encoding, split.calibration),
    validation: encodeRows(dataset, encoding, split.validation),
  };
  const learners: readonly Learner[] = options.learner === "auto" ? ["logistic", "svm"] : [options.learner];
  const attempts = learners.map((learner, i) => {
    progress(0.2 + (0.7 * i) / learners.length, `fitting ${learner}`);
    return attempt(learner, slices, options);
  });
  progress(0.9, "measuring");
  const best = bestOf(attempts);
  const artifact = toArtifact(encoding, best, slices);
  const known = [...slices.train.y, ...slices.calibration.y];
  const { verdict, promote, gain } = judge({
    labels: slices.validation.y,
    probabilities: best.probabilities,
    units: Array.from(split.validation, (row) => dataset.units[row] as number),
    base_rate: known.reduce((sum, label) => sum + label, 0) / known.length,
  });
  return {
    learner: best.learner,
    artifact: artifact as unknown as Json,
    hash: options.hash(canonicalJson(artifact as unknown as Json)),
    seed: options.seed,
    metrics: { ...best.metrics, ...gain },
    process: {
      total_events: dataset.source.total_events,
      unique_users: dataset.source.unique_users,
      positive_events: dataset.source.positive_events,
      feature_columns: encoding.columns.map((column) => column.name),
      benchmark: attempts.map(benchmarkRow),
      dataset_profile: profileOf(dataset, split),
    },
    verdict,
    promote,
  };
}

interface Slices {
  readonly train: Problem;
  readonly calibration: Problem;
  readonly validation: Problem;
}

type Attempt = Fitted | { readonly learner: Learner; readonly seconds: number; readonly failure: string };

interface Fitted {
  readonly learner: Learner;
  readonly seconds: number;
  readonly model: Artifact["model"];
  readonly calibration: Calibration;
  readonly best_threshold_by_f1: number;
  readonly raw: { readonly calibration: Float64Array; readonly validation: Float64Array };
  /** On the validation slice. */
  readonly probabilities: Float64Array;
  readonly metrics: ReturnType<typeof measure>;
}

function requireEnough({ rows, labels, source }: Dataset): void {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const what = `moments of decision (${describeMoments(source.moments)})`;
  const waiting =
    source.immature === 0
      ? ""
      : ` ${source.immature} more are too recent: their window of ${source.window_seconds} seconds had not passed by ${source.data_window.to}; a shorter window_seconds would count more of them.`;
  const wanted = `At least ${MIN_EXAMPLES} are needed, ${MIN_OF_EACH_CLASS} of them followed by a positive event (${source.positive_event_types.join(", ")}) of the same user within ${source.window_seconds} seconds and ${MIN_OF_EACH_CLASS} not.`;
  if (rows < MIN_EXAMPLES)
    throw new Invalid("insufficient_data", `Cannot train on ${rows} ${what}. ${wanted}${waiting}`);
  if (positives < MIN_OF_EACH_CLASS || rows - positives < MIN_OF_EACH_CLASS)
    throw new Invalid(
      positives === 0 || positives === rows ? "one_class" : "insufficient_data",
      `Cannot train on ${rows} ${what}: ${positives} of them were followed by a positive event, ${rows - positives} were not. ${wanted}${waiting}`,
    );
}

function requireBothClasses({ labels }: Dataset, split: Split): void {
  for (const name of ["train", "calibration", "validation"] as const) {
    const rows = split[name];
    const positives = rows.reduce((sum, row) => sum + (labels[row] as number), 0);
    if (positives === 0 || positives === rows.length)
      throw new Invalid(
        "insufficient_data",
        `Cannot train: of the ${rows.length} moments in the ${name} slice (split by ${split.by}), ${positives} were followed by a positive event and ${rows.length - positives} were not. Each slice needs both: more events, or events spread over more users, would help`,
      );
  }
}

function describeMoments(moments: Dataset["source"]["moments"]): string {
  switch (moments) {
    case "exposures":
      return "stored decisions of the feature";
    case "views":
      return "view events";
    case "events":
      return "events, as there are no view events";
    case "cut":
      return "users known at the cut";
  }
}

function encodeRows(dataset: Dataset, encoding: Encoding, rows: Uint32Array): Problem {
  const columns = encoding.columns.length;
  const byName = new Map<string, RawColumn>(dataset.columns.map((column) => [column.name, column]));
  const raw = encoding.features.map(({ name }) => byName.get(name));
  const encode = rowEncoder(encoding);
  const x = new Float64Array(rows.length * columns);
  const values: Scalar[] = new Array(raw.length).fill(null);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < raw.length; j++) values[j] = valueAt(raw[j] as RawColumn, rows[i] as number);
    encode(values, x, i * columns);
  }
  return {
    x,
    columns,
    y: Uint8Array.from(rows, (r) => dataset.labels[r] as number),
    weights: unitWeights(dataset, rows),
  };
}

/** Weights by which the moments of one unit together count as one: whoever comes often moves the model no more than others. */
function unitWeights({ units }: Dataset, rows: Uint32Array): Float64Array {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(units[row] as number, (counts.get(units[row] as number) ?? 0) + 1);
  return Float64Array.from(rows, (row) => 1 / (counts.get(units[row] as number) as number));
}

function attempt(learner: Learner, slices: Slices, options: TrainOptions): Attempt {
  const start = options.now();
  const seconds = () => (options.now() - start) / 1000;
  try {
    const fitted = fitLearner(learner, slices, options.seed);
    return { learner, seconds: seconds(), ...fitted };
  } catch (error) {
    return { learner, seconds: seconds(), failure: error instanceof Error ? error.message : String(error) };
  }
}

function fitLearner(learner: Learner, slices: Slices, seed: number): Omit<Fitted, "learner" | "seconds"> {
  const unscaled = learner === "logistic" ? logisticModel(slices.train) : fitSvm(slices.train, seed);
  const predictor = createPredictor(unscaled);
  const rawScores = ({ x, columns, y }: Problem) => Float64Array.from(y, (_, i) => predictor.raw(x, i * columns));
  const raw = { calibration: rawScores(slices.calibration), validation: rawScores(slices.validation) };
  const labels = slices.calibration.y;
  const calibration = chooseCalibration(raw.calibration, labels, { log_odds: learner === "logistic" });
  const probabilityOf = calibrator(calibration);
  const best_threshold_by_f1 = bestThresholdByF1(labels, raw.calibration.map(probabilityOf));
  const probabilities = raw.validation.map(probabilityOf);
  return {
    model: unscaled.learner === "logistic" ? unscaled : { ...unscaled, scaling: fitPlatt(raw.calibration, labels) },
    calibration,
    best_threshold_by_f1,
    raw,
    probabilities,
    metrics: measure(slices.validation.y, probabilities, best_threshold_by_f1),
  };
}

function logisticModel(problem: Problem): LogisticModel {
  const { intercept, coefficients, l2, covariance } = fitBestLogistic(problem);
  const size = problem.columns + 1;
  const packed: number[] = [];
  for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) packed.push(covariance[i * size + j] as number);
  return { learner: "logistic", intercept, coefficients: [...coefficients], l2, covariance: packed };
}

/** All on the validation slice; yes and no at the threshold that was best on the calibration slice. */
function measure(labels: Uint8Array, probabilities: Float64Array, best_threshold_by_f1: number) {
  return {
    ...thresholdMetrics(labels, probabilities, best_threshold_by_f1),
    best_threshold_by_f1,
    ...probabilityMetrics(labels, probabilities),
  };
}

function bestOf(attempts: readonly Attempt[]): Fitted {
  const fitted = attempts.filter((one) => "model" in one);
  const [first] = fitted.sort((a, b) => a.metrics.log_loss - b.metrics.log_loss);
  if (first !== undefined) return first;
  const reasons = attempts.flatMap((one) => ("failure" in one ? [`${one.learner}: ${one.failure}`] : []));
  throw new Invalid(
    "learner_failed",
    `Cannot train: no learner could be fitted (${reasons.join("; ")}). The learner "logistic" needs least of the data, and "auto" keeps whichever works`,
  );
}

function toArtifact(encoding: Encoding, best: Fitted, slices: Slices): Artifact {
  const held = new Float64Array(slices.calibration.y.length + slices.validation.y.length);
  held.set(best.raw.calibration);
  held.set(best.raw.validation, best.raw.calibration.length);
  held.sort();
  const quantile = (i: number) => held[Math.round((i / QUANTILES) * (held.length - 1))] as number;
  return {
    format: ARTIFACT_FORMAT,
    feature_schema: FEATURE_SCHEMA,
    encoding,
    model: best.model,
    calibration: best.calibration,
    best_threshold_by_f1: best.best_threshold_by_f1,
    score_quantiles: Array.from({ length: QUANTILES + 1 }, (_, i) => quantile(i)),
  };
}

function benchmarkRow(one: Attempt): Json {
  const { learner, seconds } = one;
  if ("failure" in one) return { model_name: learner, status: "failed", reason: one.failure, seconds };
  return { model_name: learner, status: "fitted", calibration: one.calibration.method, seconds, ...one.metrics };
}

function profileOf(dataset: Dataset, split: Split): Json {
  const { source, labels, rows } = dataset;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  return {
    rows,
    train_rows: split.train.length,
    calibration_rows: split.calibration.length,
    test_rows: split.validation.length,
    left_out_rows: split.left_out,
    split: split.by,
    positive_rate: positives / rows,
    class_distribution: { "0": rows - positives, "1": positives },
    window_seconds: source.window_seconds,
    positive_event_types: source.positive_event_types,
    ...(source.funnel === undefined
      ? {}
      : {
          intermediate_positive_events: source.funnel.intermediate,
          terminal_positive_events: source.funnel.terminal,
        }),
    moments: source.moments,
    immature: source.immature,
    capped: source.capped,
    data_window: source.data_window,
  };
}
