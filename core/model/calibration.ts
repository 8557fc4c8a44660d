import { z } from "zod";
import { logLossOf } from "./metrics.ts";
import { sigmoid } from "./sigmoid.ts";

const Finite = z.number();

export const Platt = z.object({
  method: z.literal("platt"),
  /** P = 1 / (1 + exp(a score + b)); a < 0. */
  a: Finite.negative(),
  b: Finite,
  /** Of (a, b): variance of a, covariance, variance of b. */
  covariance: z.tuple([Finite, Finite, Finite]),
});
export type Platt = z.infer<typeof Platt>;

const Isotonic = z.object({
  method: z.literal("isotonic"),
  /** Knots, rising; between them the probability is linear, outside it is the nearest knot's. */
  scores: z.array(Finite).min(1),
  probabilities: z.array(Finite).min(1),
  /** Probabilities stay in [floor, 1 - floor]: no slice is large enough to promise never or always. */
  floor: Finite,
});
type Isotonic = z.infer<typeof Isotonic>;

/**
 * From a learner's raw score to a probability. Never falls, so that a threshold on the probability is a threshold on the
 * score. `none`: the score is log odds already.
 */
export const Calibration = z.discriminatedUnion("method", [z.object({ method: z.literal("none") }), Platt, Isotonic]);
export type Calibration = z.infer<typeof Calibration>;

type Numbers = Readonly<ArrayLike<number>>;

/** Isotonic regression needs this many positives; below it, Platt. */
export const ISOTONIC_POSITIVES = 200;
const FOLDS = 5;
const LEAST_SLOPE = -1e-6;

/**
 * Chooses and fits a calibration on its own slice. Labels are 0 or 1, or outcomes between: then an expectation is calibrated. `none` (only for scores that are log odds already) is replaced by Platt,
 * and that by isotonic regression (given enough positives), only when the more flexible map's cross-validated log loss is
 * better by more than one standard error of the difference: a map that does not help would only add noise.
 *
 * @param options.log_odds true when `sigmoid(score)` is a probability
 */
export function chooseCalibration(scores: Numbers, labels: Numbers, options: { log_odds: boolean }): Calibration {
  const positives = sumOf(labels);
  const maps: ((scores: Numbers, labels: Numbers) => Calibration)[] = [];
  if (options.log_odds) maps.push(() => ({ method: "none" }));
  maps.push(fitPlatt);
  if (positives >= ISOTONIC_POSITIVES) maps.push(fitIsotonic);
  let [best] = maps as [(typeof maps)[number]];
  let losses = crossValidated(best, scores, labels);
  for (const next of maps.slice(1)) {
    const nextLosses = crossValidated(next, scores, labels);
    const { mean, se } = meanAndError(losses.map((loss, i) => loss - (nextLosses[i] as number)));
    if (mean > se) {
      best = next;
      losses = nextLosses;
    }
  }
  return best(scores, labels);
}

/** The probability of a score. Compiled once; allocates nothing per call. */
export function calibrator(calibration: Calibration): (score: number) => number {
  if (calibration.method === "none") return sigmoid;
  if (calibration.method === "platt") {
    const { a, b } = calibration;
    return (score) => sigmoid(-(a * score + b));
  }
  const scores = Float64Array.from(calibration.scores);
  const { floor } = calibration;
  const probabilities = Float64Array.from(calibration.probabilities, (p) => Math.min(1 - floor, Math.max(floor, p)));
  return (score) => interpolate(scores, probabilities, score);
}

/** The lowest score whose probability reaches `probability`; infinite when none or all do. */
export function scoreAt(calibration: Calibration, probability: number): number {
  if (probability <= 0) return Number.NEGATIVE_INFINITY;
  if (calibration.method === "isotonic") return isotonicScoreAt(calibration, probability);
  if (probability >= 1) return Number.POSITIVE_INFINITY;
  const logOdds = Math.log(probability / (1 - probability));
  return calibration.method === "none" ? logOdds : (-logOdds - calibration.b) / calibration.a;
}

/**
 * Platt scaling: P = 1 / (1 + exp(a score + b)), fitted to targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2) by Newton's method
 * (Lin, Lin and Weng 2007). `a` is kept negative: a score that orders the slice the wrong way round says nothing, and everybody
 * gets the slice's rate.
 */
export function fitPlatt(scores: Numbers, labels: Numbers): Platt {
  const n = scores.length;
  const positives = sumOf(labels);
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (n - positives + 2);
  const value = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const f = a * (scores[i] as number) + b;
      const t = low + (labels[i] as number) * (high - low);
      sum += Math.max(f, 0) + Math.log1p(Math.exp(-Math.abs(f))) - (1 - t) * f;
    }
    return sum;
  };
  let a = 0;
  let b = Math.log((n - positives + 1) / (positives + 1));
  let objective = value(a, b);
  let hessian: [number, number, number] = [1, 0, 1];
  for (let iteration = 0; iteration < 100; iteration++) {
    let [aa, ab, bb, ga, gb] = [1e-12, 0, 1e-12, 0, 0];
    for (let i = 0; i < n; i++) {
      const f = scores[i] as number;
      const p = sigmoid(-(a * f + b));
      const w = p * (1 - p);
      const d = low + (labels[i] as number) * (high - low) - p;
      aa += f * f * w;
      ab += f * w;
      bb += w;
      ga += f * d;
      gb += d;
    }
    hessian = [aa, ab, bb];
    if (Math.abs(ga) < 1e-9 && Math.abs(gb) < 1e-9) break;
    const determinant = aa * bb - ab * ab;
    const da = -(bb * ga - ab * gb) / determinant;
    const db = -(aa * gb - ab * ga) / determinant;
    let step = 1;
    let next = value(a + da, b + db);
    while (next > objective && step > 1e-10) {
      step /= 2;
      next = value(a + step * da, b + step * db);
    }
    if (next > objective) break;
    a += step * da;
    b += step * db;
    if (objective - next < 1e-14 * Math.abs(objective)) break;
    objective = next;
  }
  if (a > LEAST_SLOPE) {
    const rate = (positives + 1) / (n + 2);
    const covariance: [number, number, number] = [0, 0, 1 / (n * rate * (1 - rate))];
    return { method: "platt", a: LEAST_SLOPE, b: Math.log((1 - rate) / rate), covariance };
  }
  const determinant = hessian[0] * hessian[2] - hessian[1] ** 2;
  return {
    method: "platt",
    a,
    b,
    covariance: [hessian[2] / determinant, -hessian[1] / determinant, hessian[0] / determinant],
  };
}

/** Isotonic regression by pooling adjacent violators; equal scores are averaged first. */
export function fitIsotonic(scores: Numbers, labels: Numbers): Isotonic {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (i, j) => (scores[i] as number) - (scores[j] as number) || i - j,
  );
  // Blocks of equal or pooled scores: from which score to which, the sum of their labels and how many they are.
  const from = new Float64Array(scores.length);
  const to = new Float64Array(scores.length);
  const sum = new Float64Array(scores.length);
  const weight = new Float64Array(scores.length);
  let last = -1;
  for (const i of order) {
    const score = scores[i] as number;
    if (last >= 0 && to[last] === score && from[last] === score) {
      (sum[last] as number) += labels[i] as number;
      (weight[last] as number)++;
      continue;
    }
    last++;
    from[last] = to[last] = score;
    sum[last] = labels[i] as number;
    weight[last] = 1;
  }
  const points = last + 1;
  last = -1;
  for (let i = 0; i < points; i++) {
    last++;
    from[last] = from[i] as number;
    to[last] = to[i] as number;
    sum[last] = sum[i] as number;
    weight[last] = weight[i] as number;
    for (; last > 0 && !rises(last); last--) {
      to[last - 1] = to[last] as number;
      (sum[last - 1] as number) += sum[last] as number;
      (weight[last - 1] as number) += weight[last] as number;
    }
  }
  function rises(block: number): boolean {
    return (
      (sum[block - 1] as number) * (weight[block] as number) < (sum[block] as number) * (weight[block - 1] as number)
    );
  }
  const ends: [score: number, probability: number][] = [];
  for (let block = 0; block <= last; block++) {
    const probability = (sum[block] as number) / (weight[block] as number);
    ends.push([from[block] as number, probability]);
    if (from[block] !== to[block]) ends.push([to[block] as number, probability]);
  }
  return {
    method: "isotonic",
    scores: ends.map(([score]) => score),
    probabilities: ends.map(([, probability]) => probability),
    floor: 1 / (scores.length + 2),
  };
}

function sumOf(labels: Numbers): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += labels[i] as number;
  return sum;
}

/** Linear between knots, constant outside. */
export function interpolate(scores: Float64Array, values: Float64Array, score: number): number {
  const last = scores.length - 1;
  if (score <= (scores[0] as number)) return values[0] as number;
  if (score >= (scores[last] as number)) return values[last] as number;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((scores[middle] as number) <= score) low = middle;
    else high = middle;
  }
  const width = (scores[high] as number) - (scores[low] as number);
  const share = (score - (scores[low] as number)) / width;
  return (values[low] as number) + share * ((values[high] as number) - (values[low] as number));
}

/** Mean and its standard error. */
export function meanAndError(values: Numbers): { mean: number; se: number } {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += (values[i] as number) / n;
  let square = 0;
  for (let i = 0; i < n; i++) square += ((values[i] as number) - mean) ** 2;
  return { mean, se: n < 2 ? Number.POSITIVE_INFINITY : Math.sqrt(square / (n - 1) / n) };
}

/** The log loss of every row under a map fitted without its fold. */
function crossValidated(map: (scores: Numbers, labels: Numbers) => Calibration, scores: Numbers, labels: Numbers) {
  const losses = new Float64Array(scores.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const rest = Uint32Array.from({ length: scores.length }, (_, i) => i).filter((i) => i % FOLDS !== fold);
    const calibrate = calibrator(
      map(
        Float64Array.from(rest, (i) => scores[i] as number),
        Float64Array.from(rest, (i) => labels[i] as number),
      ),
    );
    for (let i = fold; i < scores.length; i += FOLDS)
      losses[i] = logLossOf(labels[i] as number, calibrate(scores[i] as number));
  }
  return losses;
}

function isotonicScoreAt(calibration: Isotonic, probability: number): number {
  const { scores, floor } = calibration;
  const values = calibration.probabilities.map((p) => Math.min(1 - floor, Math.max(floor, p)));
  const above = values.findIndex((value) => value >= probability);
  if (above === -1) return Number.POSITIVE_INFINITY;
  if (above === 0) return Number.NEGATIVE_INFINITY;
  const [x0, x1] = [scores[above - 1] as number, scores[above] as number];
  const [y0, y1] = [values[above - 1] as number, values[above] as number];
  return x0 + ((probability - y0) / (y1 - y0)) * (x1 - x0);
}
