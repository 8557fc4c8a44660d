import type { Json } from "../json.ts";
import { Invalid } from "../ports.ts";
import { ARTIFACT_FORMAT, type Artifact, canonicalJson } from "./artifact.ts";
import { chooseLearner } from "./choose-learner.ts";
import { createPredictor } from "./create-predictor.ts";
import type { Dataset } from "./dataset.ts";
import type { Encoding } from "./encoding.ts";
import { FEATURE_SCHEMA } from "./feature-row.ts";
import { fitEncoding } from "./fit-encoding.ts";
import { type FittedLearner, fitLearner, type Slices } from "./fit-learner.ts";
import { heldOutReport } from "./held-out-report.ts";
import { type Judged, type JudgeEvidence, judgePropensity, judgeUplift } from "./judge-trained.ts";
import { makeSlices } from "./make-slices.ts";
import type { Learner } from "./model.ts";
import { type ArmCount, countArms, requireArms, requireEnough, requireOutcomes } from "./require-trainable.ts";
import { updateRidge } from "./ridge.ts";
import { type Split, splitDataset } from "./split-dataset.ts";

export interface TrainOptions {
  readonly learner: Learner | "auto";
  /**
   * propensity: P(objective | user), whatever was served. uplift: the outcome under each of the dataset's arms, so that the
   * arm with the best effect over the safe one (the first) can be served. Default propensity.
   */
  readonly target?: "propensity" | "uplift" | undefined;
  /** Which way the objective is to go; only for uplift. Default increase. */
  readonly direction?: "increase" | "decrease" | undefined;
  /** What an outcome of 1 stands for where outcomes are numbers; null: they are yes or no. Default null. */
  readonly value_cap?: number | null | undefined;
  readonly seed: number;
  /** Version of the code that trains, for the record. */
  readonly code_version?: string | undefined;
  /** sha256 of a text, hex. */
  readonly hash: (text: string) => string;
  /** Milliseconds on any clock: times the learners for the benchmark. */
  readonly now: () => number;
  /** The live model, that a new one of propensity must not be clearly worse than. */
  readonly champion?: Artifact | undefined;
  /** Judges an uplift model against what is served. Without it such a model stays a candidate. */
  readonly judge?: ((evidence: JudgeEvidence) => Judged) | undefined;
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

/** What `auto` fits, the simplest first. Where arms are compared, an svm is more often sure than right (docs/decisions/0080). */
const LEARNERS: Readonly<Record<"propensity" | "uplift", readonly Learner[]>> = {
  propensity: ["logistic", "trees", "svm"],
  uplift: ["logistic", "trees"],
};
const QUANTILES = 200;

/**
 * Fits the learners on the train slice, calibrates them on the calibration slice, measures them on the validation slice and
 * keeps the best there (choose-learner.ts). The same dataset and seed give the same artifact, byte for byte.
 * Whether it is to go live is said by promotion.ts or, for uplift, by the judge.
 *
 * @throws Invalid `insufficient_data`, `one_class` or `one_arm`: the message says how much there is and how much is needed;
 * `learner_failed` when none of the learners could be fitted
 */
export function train(dataset: Dataset, options: TrainOptions): TrainedModel {
  const progress = options.onProgress ?? (() => {});
  requireEnough(dataset);
  const counts = countArms(dataset);
  const arms = options.target === "uplift" ? armsOf(dataset, counts) : null;
  progress(0, "splitting");
  const split = ofArms(splitDataset(dataset), dataset, arms);
  requireOutcomes(dataset, split);
  progress(0.02, "encoding");
  const encoding = fitEncoding(dataset, split.train);
  const slices = makeSlices(dataset, encoding, split, arms);
  const learners = options.learner === "auto" ? LEARNERS[options.target ?? "propensity"] : [options.learner];
  const attempts = learners.map((learner, i) => {
    const told = (done: number) => progress(0.1 + (0.8 * (i + done)) / learners.length, `fitting ${learner}`);
    told(0);
    return attempt(learner, slices, options, told);
  });
  progress(0.9, "measuring");
  const { best, reason } = chooseLearner(whatFitted(attempts), slices.validation.y);
  const artifact = toArtifact(encoding, best, slices, arms, options);
  const heldOut = { dataset, rows: split.validation, slice: slices.validation };
  const { verdict, promote, metrics } =
    arms === null ? judgePropensity(heldOut, best, options.champion) : judgeUplift(heldOut, artifact, counts, options);
  const served = { ...artifact, model: withHeldOut(artifact.model, slices) };
  return {
    learner: best.learner,
    artifact: served as unknown as Json,
    hash: options.hash(canonicalJson(served as unknown as Json)),
    seed: options.seed,
    metrics: { ...best.metrics, ...heldOutReport(slices.validation.y, best.probabilities), ...metrics },
    process: {
      total_events: dataset.source.total_events,
      unique_users: dataset.source.unique_users,
      positive_events: dataset.source.positive_events,
      feature_columns: encoding.columns.map((column) => column.name),
      benchmark: attempts.map(benchmarkRow),
      dataset_profile: profileOf(dataset, split),
      target: artifact.target,
      ...(arms === null ? {} : { arms: counts.filter(({ rows }) => rows > 0).map((count) => ({ ...count })) }),
      feature_schema: FEATURE_SCHEMA,
      data_window: dataset.source.data_window,
      seed: options.seed,
      calibration: best.calibration.method,
      ...(options.code_version === undefined ? {} : { code_version: options.code_version }),
    },
    verdict: verdict + reason + sampledOf(dataset),
    promote,
  };
}

/** In words, when not all that there is was learned from. */
function sampledOf({ rows, source: { sampled = 1, sampled_from = rows } }: Dataset): string {
  if (sampled === 1) return "";
  const [kept, all] = [rows, sampled_from].map((count) => count.toLocaleString("en-US"));
  return ` Learned from ${kept} of ${all} examples: those of 1 in ${1 / sampled} users, chosen by a hash.`;
}

/** The arms that are compared, the safe one first. */
function armsOf(dataset: Dataset, counts: readonly ArmCount[]): readonly string[] {
  const safe = dataset.arms?.[0];
  if (safe === undefined) throw new Error("Cannot learn which variant is better: the dataset was built without arms");
  return requireArms(dataset, counts, safe);
}

/** Without the decisions for variants of which too little is known. */
function ofArms(split: Split, dataset: Dataset, arms: readonly string[] | null): Split {
  if (arms === null || dataset.arms === null || arms.length === dataset.arms.length) return split;
  const known = dataset.arms.map((name) => arms.includes(name));
  const kept = (rows: Uint32Array) => rows.filter((row) => known[dataset.arm?.[row] ?? 0]);
  return {
    ...split,
    train: kept(split.train),
    calibration: kept(split.calibration),
    validation: kept(split.validation),
  };
}

type Attempt =
  | (FittedLearner & { readonly learner: Learner; readonly seconds: number })
  | { readonly learner: Learner; readonly seconds: number; readonly failure: string };
type Fitted = Extract<Attempt, FittedLearner>;

function attempt(learner: Learner, slices: Slices, options: TrainOptions, onProgress: (done: number) => void): Attempt {
  const start = options.now();
  const seconds = () => (options.now() - start) / 1000;
  try {
    const fitted = fitLearner(learner, slices, { seed: options.seed, onProgress });
    return { learner, seconds: seconds(), ...fitted };
  } catch (error) {
    return { learner, seconds: seconds(), failure: error instanceof Error ? error.message : String(error) };
  }
}

function whatFitted(attempts: readonly Attempt[]): readonly [Fitted, ...Fitted[]] {
  const [first, ...others] = attempts.filter((one) => "model" in one);
  if (first !== undefined) return [first, ...others];
  const reasons = attempts.flatMap((one) => ("failure" in one ? [`${one.learner}: ${one.failure}`] : []));
  throw new Invalid(
    "learner_failed",
    `Cannot train: no learner could be fitted (${reasons.join("; ")}). The learner "logistic" needs least of the data, and "auto" keeps whichever works`,
  );
}

function toArtifact(
  encoding: Encoding,
  best: Fitted,
  slices: Slices,
  arms: readonly string[] | null,
  { value_cap = null }: TrainOptions,
): Artifact {
  const predictor = createPredictor(best.model);
  // Of the safe arm: which one is served changes with the model, and drift must not be seen in that.
  const scores = ({ x, columns, y }: Slices["validation"]) => y.map((_, i) => predictor.raw(x, i * columns, 0));
  const held = new Float64Array(slices.calibration.y.length + slices.validation.y.length);
  held.set(scores(slices.calibration));
  held.set(scores(slices.validation), slices.calibration.y.length);
  held.sort();
  const quantile = (i: number) => held[Math.round((i / QUANTILES) * (held.length - 1))] as number;
  return {
    format: ARTIFACT_FORMAT,
    feature_schema: FEATURE_SCHEMA,
    encoding,
    target: arms === null ? "propensity" : "uplift",
    arms: arms === null ? null : [...arms],
    value_cap,
    model: best.model,
    calibration: best.calibration,
    best_threshold_by_f1: best.best_threshold_by_f1,
    score_quantiles: Array.from({ length: QUANTILES + 1 }, (_, i) => quantile(i)),
  };
}

/** A bandit learns outcome by outcome: once it has been measured, those it was measured on too. Others stay as measured. */
function withHeldOut(model: Artifact["model"], { calibration, validation }: Slices): Artifact["model"] {
  if (model.learner !== "ridge") return model;
  const taught = structuredClone(model);
  for (const { x, columns, y, weights, arms } of [calibration, validation])
    for (let i = 0; i < y.length; i++)
      updateRidge(taught, x, i * columns, arms?.index[i] ?? 0, y[i] as number, weights?.[i] ?? 1);
  return taught;
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
    sampled: source.sampled ?? 1,
    sampled_from: source.sampled_from ?? rows,
    data_window: source.data_window,
  };
}
