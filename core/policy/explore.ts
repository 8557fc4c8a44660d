/** Estimated rewards in 0..1, one an arm. The greater, the better. */
type Scores = Readonly<ArrayLike<number>>;

// Each writes one probability an arm to `out` and returns it; of equal scores, the first is the best.

/**
 * SquareCB (Foster and Rakhlin, "Beyond UCB", 2020): an arm is the less probable the more it seems to lose, 1 / (K + gamma
 * (best - score)), and what is left goes to the best.
 *
 * @param gamma >= 0: 0 is uniform, the greater the greedier; grows with the square root of what is known
 */
export function squareCb(
  scores: Scores,
  gamma: number,
  out: Float64Array = new Float64Array(scores.length),
): Float64Array {
  const count = scores.length;
  const best = bestOf(scores);
  let rest = 1;
  for (let arm = 0; arm < count; arm++) {
    if (arm === best) continue;
    const p = 1 / (count + gamma * ((scores[best] as number) - (scores[arm] as number)));
    out[arm] = p;
    rest -= p;
  }
  out[best] = rest;
  return out;
}

/** The best with 1 - epsilon, and epsilon evenly among all. */
export function epsilonGreedy(
  scores: Scores,
  epsilon: number,
  out: Float64Array = new Float64Array(scores.length),
): Float64Array {
  out.fill(epsilon / scores.length);
  (out[bestOf(scores)] as number) += 1 - epsilon;
  return out;
}

/** Proportional to exp(score / temperature), temperature > 0. */
export function softmax(
  scores: Scores,
  temperature: number,
  out: Float64Array = new Float64Array(scores.length),
): Float64Array {
  const most = scores[bestOf(scores)] as number;
  let sum = 0;
  for (let arm = 0; arm < scores.length; arm++) {
    const weight = Math.exp(((scores[arm] as number) - most) / temperature);
    out[arm] = weight;
    sum += weight;
  }
  for (let arm = 0; arm < scores.length; arm++) (out[arm] as number) /= sum;
  return out;
}

/** Mixed with the even distribution, of which it takes the share `floor`, 0..1: no arm is below floor / K. In place. */
export function floored(probabilities: Float64Array, floor: number): Float64Array {
  const count = probabilities.length;
  for (let arm = 0; arm < count; arm++)
    probabilities[arm] = floor / count + (1 - floor) * (probabilities[arm] as number);
  return probabilities;
}

function bestOf(scores: Scores): number {
  let best = 0;
  for (let arm = 1; arm < scores.length; arm++) if ((scores[arm] as number) > (scores[best] as number)) best = arm;
  return best;
}
