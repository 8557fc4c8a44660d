import {
  type Cuped,
  type CupedRatio,
  covariance,
  type Mean,
  mean,
  type Proportion,
  pool,
  type Sample,
  variance,
} from "./sample.ts";

/**
 * One arm's metric as a smooth function of component means, with what the delta method needs: gradients with respect to
 * those means, and the components' covariance matrix a user.
 */
export interface Estimate {
  readonly n: number;
  /** The metric, adjusted by what was known before the experiment (CUPED) where the sample has it. */
  readonly value: number;
  readonly gradient: readonly number[];
  /** The metric as measured; equals `value` without adjustment. */
  readonly raw: number;
  readonly rawGradient: readonly number[];
  /**
   * What stands for the metric where a relative lift's slope is evaluated. Of an adjusted mean the measured one (the arms
   * are equal before but for chance), of an adjusted ratio the adjusted one: the vectors' reference differs so.
   */
  readonly centre: number;
  readonly covariance: readonly (readonly number[])[];
}

/**
 * Both arms' estimates. The adjustment is by one theta, estimated from all arms together, as they would otherwise be
 * adjusted by different amounts. Throws a TypeError when the two samples are not of one type.
 *
 * Source: Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
 * Pre-Experiment Data" (2013), with the delta method for ratios.
 */
export function estimateArms(control: Sample, treatment: Sample): { control: Estimate; treatment: Estimate } {
  const [first, second] = estimateAll([control, treatment]) as [Estimate, Estimate];
  return { control: first, treatment: second };
}

/** As `estimateArms`, of any number of arms. */
export function estimateAll(samples: readonly Sample[]): readonly Estimate[] {
  if (samples.every((sample) => sample.type === "cuped")) {
    const theta = cupedTheta(samples);
    return samples.map((sample) => adjustedMean(sample, theta));
  }
  if (samples.every((sample) => sample.type === "cupedRatio")) {
    const theta = cupedRatioTheta(samples);
    return samples.map((sample) => adjustedRatio(sample, theta));
  }
  return samples.map((sample, i) => unadjusted(sample, samples[i === 0 ? 1 : 0] ?? sample));
}

/** Variance a user of a linear form: its gradient on both sides of the covariance matrix. */
export function quadraticForm(
  left: readonly number[],
  matrix: readonly (readonly number[])[],
  right: readonly number[] = left,
): number {
  let total = 0;
  left.forEach((weight, row) => {
    right.forEach((other, column) => {
      total += weight * other * (matrix[row]?.[column] ?? 0);
    });
  });
  return total;
}

function unadjusted(sample: Sample, other: Sample): Estimate {
  if (sample.type === "ratio" && other.type === "ratio") {
    const { value, gradient } = ratio(sample.numerator, sample.denominator);
    const between = covariance(sample.numerator, sample.denominator, sample.sumOfProducts);
    const matrix = [
      [variance(sample.numerator), between],
      [between, variance(sample.denominator)],
    ];
    return { n: sample.n, value, gradient, raw: value, rawGradient: gradient, centre: value, covariance: matrix };
  }
  if (isSimple(sample) && isSimple(other)) {
    const value = mean(sample);
    return {
      n: sample.n,
      value,
      gradient: [1],
      raw: value,
      rawGradient: [1],
      centre: value,
      covariance: [[variance(sample)]],
    };
  }
  throw new TypeError(`Cannot compare a ${sample.type} with a ${other.type}: both arms need the same kind of sample`);
}

function isSimple(sample: Sample): sample is Proportion | Mean {
  return sample.type === "proportion" || sample.type === "mean";
}

/** A quotient of means; where the denominator's mean is 0 it is 0 and does not vary. */
function ratio(numerator: Proportion | Mean, denominator: Proportion | Mean): { value: number; gradient: number[] } {
  const m = mean(numerator);
  const d = mean(denominator);
  return d === 0 ? { value: 0, gradient: [0, 0] } : { value: m / d, gradient: [1 / d, -m / d ** 2] };
}

function cupedTheta(samples: readonly Cuped[]): number {
  const post = samples.map((sample) => sample.post).reduce(pool);
  const pre = samples.map((sample) => sample.pre).reduce(pool);
  const products = samples.reduce((sum, { postPreSumOfProducts }) => sum + postPreSumOfProducts, 0);
  const spread = variance(pre);
  return spread === 0 ? 0 : covariance(post, pre, products) / spread;
}

function adjustedMean(sample: Cuped, theta: number): Estimate {
  const between = covariance(sample.post, sample.pre, sample.postPreSumOfProducts);
  return {
    n: sample.n,
    value: mean(sample.post) - theta * mean(sample.pre),
    gradient: [1, -theta],
    raw: mean(sample.post),
    rawGradient: [1, 0],
    centre: mean(sample.post),
    covariance: [
      [variance(sample.post), between],
      [between, variance(sample.pre)],
    ],
  };
}

function cupedRatioTheta(samples: readonly CupedRatio[]): number {
  let between = 0;
  let spread = 0;
  for (const sample of samples) {
    const matrix = ratioCovariance(sample);
    const post = [...ratio(sample.mPost, sample.dPost).gradient, 0, 0];
    const pre = [0, 0, ...ratio(sample.mPre, sample.dPre).gradient];
    between += quadraticForm(post, matrix, pre);
    spread += quadraticForm(pre, matrix);
  }
  return spread === 0 ? 0 : between / spread;
}

function adjustedRatio(sample: CupedRatio, theta: number): Estimate {
  const post = ratio(sample.mPost, sample.dPost);
  const pre = ratio(sample.mPre, sample.dPre);
  const value = post.value - theta * pre.value;
  return {
    n: sample.n,
    value,
    gradient: [...post.gradient, ...pre.gradient.map((slope) => -theta * slope)],
    raw: post.value,
    rawGradient: [...post.gradient, 0, 0],
    centre: value,
    covariance: ratioCovariance(sample),
  };
}

/** In the order mPost, dPost, mPre, dPre. */
function ratioCovariance(sample: CupedRatio): number[][] {
  const { mPost, dPost, mPre, dPre } = sample;
  const mPostDPost = covariance(mPost, dPost, sample.mPostDPost);
  const mPostMPre = covariance(mPost, mPre, sample.mPostMPre);
  const mPostDPre = covariance(mPost, dPre, sample.mPostDPre);
  const dPostMPre = covariance(dPost, mPre, sample.mPreDPost);
  const dPostDPre = covariance(dPost, dPre, sample.dPostDPre);
  const mPreDPre = covariance(mPre, dPre, sample.mPreDPre);
  return [
    [variance(mPost), mPostDPost, mPostMPre, mPostDPre],
    [mPostDPost, variance(dPost), dPostMPre, dPostDPre],
    [mPostMPre, dPostMPre, variance(mPre), mPreDPre],
    [mPostDPre, dPostDPre, mPreDPre, variance(dPre)],
  ];
}
