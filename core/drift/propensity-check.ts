import { logMeanExp } from "../experiment/log-mean-exp.ts";

/** Whether arms were given as often as the stored probabilities say. */
export interface Propensities {
  readonly decisions: number;
  /** Of each arm: how often it was given, how often it should have been, and their difference in standard errors. */
  readonly arms: readonly {
    readonly arm: string;
    readonly given: number;
    readonly expected: number;
    readonly z: number;
  }[];
  /** Decisions whose arm had a stored probability of 0. */
  readonly impossible: number;
  /** The largest ln of the evidence that the probabilities are wrong. */
  readonly highest_log_e: number;
  /** True once the evidence has reached 1,000 (at most 1 in 1,000 sound draws ever get there), or one was impossible. */
  readonly alarm: boolean;
}

export interface PropensityCheck {
  /** Adds a decision: the arm that was given and the probabilities that were stored with it. One a user: draws repeat. */
  add(arm: string, probabilities: Readonly<Record<string, number>>): void;
  result(): Propensities;
}

const ALARM = Math.log(1000);
/** Alternatives: the odds of one arm are off by these factors, either way. */
const SHIFTS = [1.1, 1.25, 1.5, 2, 4].flatMap((factor) => [Math.log(factor), -Math.log(factor)]);

/**
 * Anytime-valid check of draws: against each alternative (one arm's odds off by a factor), the likelihood of the arms over
 * that under the stored probabilities is multiplied up; the mean over all is an e-process (see calibration-test.ts).
 *
 * @param arms the feature's variants
 */
export function createPropensityCheck(arms: readonly string[]): PropensityCheck {
  const logs = new Float64Array(Math.max(1, arms.length * SHIFTS.length));
  const given = new Float64Array(arms.length);
  const expected = new Float64Array(arms.length);
  const variance = new Float64Array(arms.length);
  let decisions = 0;
  let impossible = 0;
  let highest_log_e = 0;
  return {
    add(arm, probabilities) {
      decisions += 1;
      if (!((probabilities[arm] ?? 0) > 0)) impossible += 1;
      for (let a = 0; a < arms.length; a++) {
        const p = probabilities[arms[a] as string] ?? 0;
        const hit = arms[a] === arm ? 1 : 0;
        (given[a] as number) += hit;
        (expected[a] as number) += p;
        (variance[a] as number) += p * (1 - p);
        for (let i = 0; i < SHIFTS.length; i++) {
          const shift = SHIFTS[i] as number;
          (logs[a * SHIFTS.length + i] as number) += hit * shift - Math.log1p(p * Math.expm1(shift));
        }
      }
      highest_log_e = Math.max(highest_log_e, logMeanExp(logs));
    },
    result: () => ({
      decisions,
      arms: arms.map((arm, a) => {
        const [observed, mean, spread] = [given[a] as number, expected[a] as number, variance[a] as number];
        return { arm, given: observed, expected: mean, z: spread > 0 ? (observed - mean) / Math.sqrt(spread) : 0 };
      }),
      impossible,
      highest_log_e,
      alarm: highest_log_e >= ALARM || impossible > 0,
    }),
  };
}
