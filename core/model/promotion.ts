import { logLossOf } from "./metrics.ts";

/** What the model says about the validation slice, and what is true. */
export interface Evidence {
  /** 0 or 1, or an outcome between. */
  readonly labels: Readonly<ArrayLike<number>>;
  readonly probabilities: Float64Array;
  /** Whose moment each is. */
  readonly units: Readonly<ArrayLike<number>>;
  /** What the live model says of the same moments; null: there is none, or it can no longer be read. */
  readonly champion?: Float64Array | null | undefined;
}

export interface Judgement {
  readonly promote: boolean;
  /** In words. */
  readonly verdict: string;
  readonly gain: {
    readonly base_rate_log_loss: number;
    /** Mean of the base rate's log loss less the model's, and its standard error. */
    readonly log_loss_gain: number;
    readonly log_loss_gain_error: number;
  };
}

/** The gain must exceed this many standard errors. */
const ERRORS = 2.326;

/**
 * Whether a model may go live: when its mean log loss on held-out moments beats that of the base rate by more than 2.326
 * standard errors of the paired difference (a one-sided test at 1 %: of models of pure noise, the best of several on these very
 * moments, at 5 % one in twenty passed), and when it is not as clearly worse than the live
 * model. Moments of one unit count as one observation.
 *
 * The base rate is that of the held-out moments themselves, which nobody knows beforehand: against an earlier one, a model of
 * noise passed that had the luck to be calibrated on moments more like them.
 */
export function judge({ labels, probabilities, units, champion }: Evidence): Judgement {
  const n = labels.length;
  const lossesOf = (said: (row: number) => number) =>
    Float64Array.from(labels, (label, row) => logLossOf(label, said(row)));
  const base_rate = meanOf(Float64Array.from(labels));
  const baseLosses = lossesOf(() => base_rate);
  const losses = lossesOf((row) => probabilities[row] as number);
  const base = meanOf(baseLosses);
  const loss = meanOf(losses);
  const mean = base - loss;
  const error = clusteredError(
    baseLosses.map((value, i) => value - (losses[i] as number)),
    mean,
    units,
  );
  const beatsRollout = mean > ERRORS * error;
  const on = `on ${n.toLocaleString("en-US")} held-out decisions`;
  const against =
    champion == null
      ? null
      : compare(
          losses,
          lossesOf((row) => champion[row] as number),
          units,
        );
  const promote = beatsRollout && (against === null || !against.worse);
  const than = against === null ? "" : ` and ${against.champion.toFixed(3)} for the live model`;
  const verdict = promote
    ? `Live: ${on} its log loss is ${loss.toFixed(3)} against ${base.toFixed(3)} for the base rate${than}.`
    : beatsRollout
      ? `Kept as a candidate: ${on} it is clearly worse than the live model (log loss ${loss.toFixed(3)} against ${base.toFixed(3)} for the base rate${than}).`
      : mean > 0
        ? `Kept as a candidate: ${on} it is not clearly better than plain rollout (log loss ${loss.toFixed(3)} against ${base.toFixed(3)} for the base rate${than}; the gain of ${mean.toFixed(4)} is less than ${ERRORS} times its standard error of ${error.toFixed(4)}).`
        : `Kept as a candidate: ${on} it does not beat plain rollout (log loss ${loss.toFixed(3)} against ${base.toFixed(3)} for the base rate${than}).`;
  return { promote, verdict, gain: { base_rate_log_loss: base, log_loss_gain: mean, log_loss_gain_error: error } };
}

/** Whether losses are worse than the champion's by more than the margin of error. */
function compare(losses: Float64Array, champions: Float64Array, units: Evidence["units"]) {
  const differences = losses.map((loss, row) => loss - (champions[row] as number));
  const mean = meanOf(differences);
  return { worse: mean > ERRORS * clusteredError(differences, mean, units), champion: meanOf(champions) };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of the mean when rows of one unit are one observation. A single unit says nothing: JSON has no infinity, so 1e9. */
function clusteredError(values: Float64Array, mean: number, units: Evidence["units"]): number {
  const sums = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    const unit = units[i] as number;
    sums.set(unit, (sums.get(unit) ?? 0) + (values[i] as number) - mean);
  }
  const n = sums.size;
  if (n < 2) return 1e9;
  let square = 0;
  for (const sum of sums.values()) square += sum * sum;
  return Math.sqrt((square * n) / (n - 1)) / values.length;
}
