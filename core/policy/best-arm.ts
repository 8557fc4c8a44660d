import { normalCdf } from "../model/normal-cdf.ts";

type Numbers = Readonly<ArrayLike<number>>;

/** Standard deviations to either side that are looked at: beyond is 1e-9 of an arm. */
const REACH = 6;
/** Longest step, in standard deviations of the narrowest arm that still varies there. */
const STEP = 1.5;
/** Gauss-Legendre on [-1, 1]. */
const NODES = [-0.906179845938664, -0.5384693101056831, 0, 0.5384693101056831, 0.906179845938664] as const;
const WEIGHTS = [
  0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891,
] as const;
/** An arm that does not vary gets this share of the range as its standard deviation: arms that are equal then tie. */
const NARROWEST = 1e-7;

/**
 * The probability of each arm to be the greatest of independent Gaussians, to about 1e-6: the integral of its density times
 * the other arms' distribution functions, by quadrature that goes in small steps where an arm is narrow and in large ones
 * elsewhere. What Thompson sampling draws by, without drawing.
 *
 * @param variances >= 0 and finite, one an arm
 * @param out written to and returned
 */
export function bestArmProbabilities(
  means: Numbers,
  variances: Numbers,
  out: Float64Array = new Float64Array(means.length),
): Float64Array {
  const count = means.length;
  const arms = standardise(means, variances);
  out.fill(0);
  let { at, end } = arms;
  while (at < end) {
    const next = Math.min(end, at + stepFrom(at, arms));
    for (let node = 0; node < NODES.length; node++) {
      const half = (next - at) / 2;
      addDensities(at + half * (1 + (NODES[node] as number)), half * (WEIGHTS[node] as number), arms, out);
    }
    at = next;
  }
  let sum = 0;
  for (let i = 0; i < count; i++) sum += out[i] as number;
  for (let i = 0; i < count; i++) (out[i] as number) /= sum;
  return out;
}

interface Arms {
  /** Relative to the greatest, so that differences keep their digits. */
  readonly mean: Float64Array;
  readonly sd: Float64Array;
  /** Of every arm at one place. */
  readonly cdf: Float64Array;
  /** Below `at` some arm is certainly greater, above `end` none is. */
  readonly at: number;
  readonly end: number;
}

function standardise(means: Numbers, variances: Numbers): Arms {
  const count = means.length;
  const mean = new Float64Array(count);
  const sd = new Float64Array(count);
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) most = Math.max(most, means[i] as number);
  let at = Number.NEGATIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    mean[i] = (means[i] as number) - most;
    sd[i] = Math.sqrt(variances[i] as number);
    at = Math.max(at, (mean[i] as number) - REACH * (sd[i] as number));
    end = Math.max(end, (mean[i] as number) + REACH * (sd[i] as number));
  }
  const least = NARROWEST * (end - at || 1);
  for (let i = 0; i < count; i++) sd[i] = Math.max(sd[i] as number, least);
  return { mean, sd, cdf: new Float64Array(count), at: at - REACH * least, end: end + REACH * least };
}

/** As far as no arm's distribution function changes much, and not past where one begins to change. */
function stepFrom(at: number, { mean, sd }: Arms): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 0; i < mean.length; i++) {
    const width = sd[i] as number;
    const z = (at - (mean[i] as number)) / width;
    if (z < -REACH - STEP) step = Math.min(step, (-REACH - z) * width);
    else if (z < REACH) step = Math.min(step, STEP * width);
  }
  return step;
}

function addDensities(at: number, weight: number, { mean, sd, cdf }: Arms, out: Float64Array): void {
  let all = weight;
  for (let i = 0; i < mean.length; i++) {
    const below = normalCdf((at - (mean[i] as number)) / (sd[i] as number));
    cdf[i] = below;
    all *= below;
  }
  if (all === 0) return;
  for (let i = 0; i < mean.length; i++) {
    const width = sd[i] as number;
    const z = (at - (mean[i] as number)) / width;
    if (z < REACH) (out[i] as number) += ((Math.exp(-0.5 * z * z) / width) * all) / (cdf[i] as number);
  }
}
