import { logMeanExp } from "../experiment/log-mean-exp.ts";

/** What the outcomes of a model say about the probabilities it stated. */
export interface Calibration {
  readonly outcomes: number;
  /** Mean of the stated probabilities, and of the outcomes. */
  readonly stated: number;
  readonly observed: number;
  /** ln of the evidence that the probabilities are wrong by more than is tolerated, and the largest it has been. */
  readonly log_e: number;
  readonly highest_log_e: number;
  /** True once the evidence has reached 20: of well calibrated models at most 5 % ever get there. */
  readonly alarm: boolean;
}

export interface CalibrationTest {
  /** Adds an outcome, 0..1, and the probability that was stated before. In the order in which they became known. */
  add(probability: number, outcome: number): void;
  result(): Calibration;
}

const ALARM = Math.log(20);
/** Odds wrong by less than this factor are tolerated: no model is calibrated exactly, and enough outcomes would stop each. */
const TOLERATED = Math.log(1.2);
/** Alternatives: odds off by these factors, either way, */
const FACTORS = [1.35, 1.5, 2, 3];
/** and log odds stretched around their mean by these: too timid and too sure of itself. */
const STRETCHES = [0.33, 0.6, 1.6, 3];
const SHIFTS = FACTORS.flatMap((factor) => [Math.log(factor), -Math.log(factor)]);
const CLOSEST = 1e-6;

/**
 * Anytime-valid test that outcomes fit the probabilities stated for them. Against each alternative, the likelihood of the
 * outcomes over that under the nearest tolerated probabilities is multiplied up; their mean is an e-process: under the
 * hypothesis it is a supermartingale that starts with 1, so it may be looked at after every outcome (Ville's inequality;
 * Ramdas et al., Game-theoretic statistics and safe anytime-valid inference, 2023). Outcomes between 0 and 1 may be added as
 * they are: exp is convex, so that they give no more than outcomes of 0 and 1 with the same mean.
 */
export function createCalibrationTest(): CalibrationTest {
  const logs = new Float64Array(SHIFTS.length + STRETCHES.length);
  let outcomes = 0;
  let stated = 0;
  let observed = 0;
  /** Sum of the log odds so far: the stretches' centre must not know what is being added. */
  let sum = 0;
  let log_e = 0;
  let highest_log_e = 0;
  return {
    add(probability, outcome) {
      const p = Math.min(1 - CLOSEST, Math.max(CLOSEST, probability));
      const log = Math.log(p / (1 - p));
      const fromCentre = outcomes === 0 ? 0 : log - sum / outcomes;
      for (let i = 0; i < logs.length; i++) {
        const shift = SHIFTS[i] ?? ((STRETCHES[i - SHIFTS.length] as number) - 1) * fromCentre;
        (logs[i] as number) += gain(log, shift, outcome);
      }
      outcomes += 1;
      stated += probability;
      observed += outcome;
      sum += log;
      log_e = logMeanExp(logs);
      highest_log_e = Math.max(highest_log_e, log_e);
    },
    result: () => ({
      outcomes,
      stated: outcomes === 0 ? 0 : stated / outcomes,
      observed: outcomes === 0 ? 0 : observed / outcomes,
      log_e,
      highest_log_e,
      alarm: highest_log_e >= ALARM,
    }),
  };
}

/** ln of the likelihood ratio between log odds shifted by `shift` and the nearest ones that are tolerated. */
function gain(log: number, shift: number, outcome: number): number {
  if (Math.abs(shift) <= TOLERATED) return 0;
  const tolerated = Math.sign(shift) * TOLERATED;
  return outcome * (shift - tolerated) - softplus(log + shift) + softplus(log + tolerated);
}

function softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
}
