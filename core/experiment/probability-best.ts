import type { ArmCount } from "./arm-count.ts";

const POINTS = 1_000;
/** Standard deviations around each arm's mean that are looked at: beyond them there is nothing left. */
const WIDTH = 8;

/**
 * For each arm, how probable it is that its rate is the highest, when before the data every rate was as likely as any other
 * (independent beta posteriors). By quadrature on one grid for all arms, without chance: the vectors of
 * test/conformance/vectors/beta_binomial.json are met within 0.0005. Sums to 1.
 */
export function probabilityBest(arms: readonly ArmCount[]): readonly number[] {
  const betas = arms.map(({ users, positives }) => ({ a: 1 + positives, b: 1 + users - positives }));
  const [low, high] = rangeOf(betas);
  const rates = Array.from({ length: POINTS }, (_, i) => low + ((i + 0.5) / POINTS) * (high - low));
  const densities = betas.map((beta) => densityOn(rates, beta));
  const below = densities.map((density) => {
    let sum = 0;
    return density.map((mass) => {
      sum += mass;
      // Half of a cell lies below its middle.
      return sum - mass / 2;
    });
  });
  const best = densities.map((density, arm) =>
    density.reduce(
      (sum, mass, i) =>
        sum + below.reduce((product, other, j) => (j === arm ? product : product * (other[i] as number)), mass),
      0,
    ),
  );
  const all = best.reduce((sum, one) => sum + one, 0);
  return best.map((one) => one / all);
}

interface Beta {
  readonly a: number;
  readonly b: number;
}

function rangeOf(betas: readonly Beta[]): readonly [number, number] {
  const ends = betas.map(({ a, b }) => {
    const mean = a / (a + b);
    const deviation = Math.sqrt((mean * (1 - mean)) / (a + b + 1));
    return [Math.max(0, mean - WIDTH * deviation), Math.min(1, mean + WIDTH * deviation)] as const;
  });
  return [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))];
}

/** Mass of each cell; sums to 1. */
function densityOn(rates: readonly number[], { a, b }: Beta): readonly number[] {
  const logs = rates.map((rate) => (a - 1) * Math.log(rate) + (b - 1) * Math.log1p(-rate));
  const highest = logs.reduce((most, log) => Math.max(most, log), Number.NEGATIVE_INFINITY);
  const masses = logs.map((log) => Math.exp(log - highest));
  const all = masses.reduce((sum, mass) => sum + mass, 0);
  return masses.map((mass) => mass / all);
}
