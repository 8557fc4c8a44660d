/**
 * How good probabilities are. `labels` are 0 or 1, `probabilities` 0..1, of equal length. Log loss, Brier score and
 * calibration error are those of expectations too: then the labels are outcomes between 0 and 1.
 */
export interface ProbabilityMetrics {
  /** P(a positive scores above a negative), ties count half; null with one class only. */
  readonly roc_auc: number | null;
  /** Natural logarithm; probabilities are clipped to [1e-15, 1 - 1e-15]. */
  readonly log_loss: number;
  readonly brier: number;
  readonly average_precision: number | null;
  /** Expected calibration error over 10 equal bins of probability. */
  readonly ece: number;
}

/** How good yes and no are, at a threshold. A ratio without a denominator is 0. */
export interface ThresholdMetrics {
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1_score: number;
  readonly confusion_matrix: {
    readonly true_negative: number;
    readonly false_positive: number;
    readonly false_negative: number;
    readonly true_positive: number;
  };
}

type Numbers = Readonly<ArrayLike<number>>;

/** @param outcomes what is expected, where it is more than the label */
export function probabilityMetrics(labels: Numbers, probabilities: Numbers, outcomes = labels): ProbabilityMetrics {
  let loss = 0;
  let brier = 0;
  for (let i = 0; i < labels.length; i++) {
    loss += logLossOf(outcomes[i] as number, probabilities[i] as number);
    brier += ((probabilities[i] as number) - (outcomes[i] as number)) ** 2;
  }
  return {
    roc_auc: rocAuc(labels, probabilities),
    log_loss: loss / labels.length,
    brier: brier / labels.length,
    average_precision: averagePrecision(labels, probabilities),
    ece: calibrationError(outcomes, probabilities),
  };
}

/** The log loss of one prediction; of an outcome between 0 and 1, the cross-entropy. */
export function logLossOf(label: number, probability: number): number {
  const p = Math.min(1 - 1e-15, Math.max(1e-15, probability));
  return -(label * Math.log(p) + (1 - label) * Math.log(1 - p));
}

/** Area under the ROC curve by ranks; ties share their mean rank. */
export function rocAuc(labels: Numbers, scores: Numbers): number | null {
  const order = descending(scores);
  let positives = 0;
  let negatives = 0;
  let wins = 0;
  for (let start = 0; start < order.length; ) {
    const { end, hits } = tie(order, start, labels, scores);
    const misses = end - start - hits;
    wins += misses * (positives + hits / 2);
    positives += hits;
    negatives += misses;
    start = end;
  }
  return positives === 0 || negatives === 0 ? null : wins / (positives * negatives);
}

/** Sum of precision times the gain in recall, from the highest score down; ties are one step. */
export function averagePrecision(labels: Numbers, scores: Numbers): number | null {
  const order = descending(scores);
  let positives = 0;
  let sum = 0;
  for (let start = 0; start < order.length; ) {
    const { end, hits } = tie(order, start, labels, scores);
    positives += hits;
    sum += hits * (positives / end);
    start = end;
  }
  return positives === 0 ? null : sum / positives;
}

/** Mean |observed rate - mean probability| over 10 equal-width bins, weighed by their rows. The last bin is closed. */
export function calibrationError(labels: Numbers, probabilities: Numbers): number {
  const bins = 10;
  const difference = new Float64Array(bins);
  for (let i = 0; i < labels.length; i++) {
    const bin = Math.min(bins - 1, Math.floor((probabilities[i] as number) * bins));
    difference[bin] = (difference[bin] as number) + (labels[i] as number) - (probabilities[i] as number);
  }
  return difference.reduce((sum, d) => sum + Math.abs(d), 0) / labels.length;
}

/** Yes means probability >= threshold. */
export function thresholdMetrics(labels: Numbers, probabilities: Numbers, threshold: number): ThresholdMetrics {
  const cells: [number, number, number, number] = [0, 0, 0, 0];
  for (let i = 0; i < labels.length; i++)
    cells[((labels[i] === 1 ? 2 : 0) + ((probabilities[i] as number) >= threshold ? 1 : 0)) as 0 | 1 | 2 | 3]++;
  const [true_negative, false_positive, false_negative, true_positive] = cells;
  const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    accuracy: ratio(true_positive + true_negative, labels.length),
    precision: ratio(true_positive, true_positive + false_positive),
    recall: ratio(true_positive, true_positive + false_negative),
    f1_score: ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative),
    confusion_matrix: { true_negative, false_positive, false_negative, true_positive },
  };
}

/** The threshold with the highest F1 (the higher one on a tie); 0.5 without a positive. */
export function bestThresholdByF1(labels: Numbers, probabilities: Numbers): number {
  const order = descending(probabilities);
  let total = 0;
  for (let i = 0; i < labels.length; i++) total += labels[i] as number;
  let best = { f1: 0, threshold: 0.5 };
  let positives = 0;
  for (let start = 0; start < order.length; ) {
    const { end, hits } = tie(order, start, labels, probabilities);
    positives += hits;
    const f1 = (2 * positives) / (end + total);
    if (f1 > best.f1) best = { f1, threshold: probabilities[order[start] as number] as number };
    start = end;
  }
  return best.threshold;
}

function descending(scores: Numbers): Uint32Array {
  return Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number) || a - b,
  );
}

/** The run of equal scores that begins at `start`: where it ends and how many positives it holds. */
function tie(order: Uint32Array, start: number, labels: Numbers, scores: Numbers): { end: number; hits: number } {
  const score = scores[order[start] as number];
  let end = start;
  let hits = 0;
  while (end < order.length && scores[order[end] as number] === score) hits += labels[order[end++] as number] as number;
  return { end, hits };
}
