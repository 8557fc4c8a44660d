import type { SvmModel } from "./artifact.ts";
import { blindBetween } from "./blind-variance.ts";
import type { Predictor } from "./predictor.ts";

/** How far apart two different arms are, squared: as far as the two values of an even, standardised column. */
export const ARM_DISTANCE = 4;

/**
 * The raw score is the main machine's; log odds are made of it by the Platt scaling. The error is the spread of the machines
 * fitted on parts of its rows, scaled from a part to the whole (Politis and Romano 1994), that of the scaling, and what all of
 * the machines miss.
 */
export function svmPredictor(model: SvmModel): Predictor {
  const columns = model.vectors[0]?.length ?? 0;
  const vectors = Float64Array.from(model.vectors.flat());
  const squares = Float64Array.from(model.vectors, (vector) => vector.reduce((sum, v) => sum + v * v, 0));
  const vectorArms = Uint8Array.from(model.vector_arms);
  const shrink = -1 / (2 * model.sigma * model.sigma);
  const main = compile(model.main);
  const bags = model.bags.map(compile);
  // Parts of m of n rows vary by (1/m - 1/n) where the whole varies by 1/n.
  const scale = model.bag_rows / (model.rows - model.bag_rows);
  const {
    a,
    b,
    covariance: [aa, ab, bb],
  } = model.scaling;
  const kernel = new Float64Array(vectorArms.length);
  const otherKernel = new Float64Array(vectorArms.length);
  const all = vectorArms.length;
  /** The main machine's vectors come first. */
  const mains = main.vectors.reduce((most, place) => Math.max(most, place), -1) + 1;
  const fill = (out: Float64Array, x: Float64Array, offset: number, arm: number, count: number) => {
    let square = 0;
    for (let j = 0; j < columns; j++) square += (x[offset + j] as number) ** 2;
    for (let i = 0, at = 0; i < count; i++) {
      let product = 0;
      for (let j = 0; j < columns; j++, at++) product += (x[offset + j] as number) * (vectors[at] as number);
      const apart = vectorArms[i] === arm ? 0 : ARM_DISTANCE;
      out[i] = Math.exp((square + (squares[i] as number) - 2 * product + apart) * shrink);
    }
  };
  /** Variance among the bags of the score, or of its difference to the score of the other kernel. */
  const spread = (other: Float64Array | null) => {
    let mean = 0;
    let square = 0;
    for (let i = 0; i < bags.length; i++) {
      const machine = bags[i] as Machine;
      const score = scoreOf(machine, kernel) - (other === null ? 0 : scoreOf(machine, other));
      const d = score - mean;
      mean += d / (i + 1);
      square += d * (score - mean);
    }
    return (square / Math.max(1, bags.length - 1)) * scale;
  };
  return {
    raw(x, offset, arm) {
      fill(kernel, x, offset, arm, mains);
      return scoreOf(main, kernel);
    },
    logOdds: (raw) => -(a * raw + b),
    error(x, offset, raw, arm) {
      fill(kernel, x, offset, arm, all);
      return Math.sqrt(Math.max(0, a * a * spread(null) + raw * raw * aa + 2 * raw * ab + bb) + model.blind.level);
    },
    differenceError(x, offset, arm, other) {
      fill(kernel, x, offset, arm, all);
      fill(otherKernel, x, offset, other, all);
      const difference = scoreOf(main, kernel) - scoreOf(main, otherKernel);
      const missed = blindBetween(model.blind, arm, other);
      return Math.sqrt(a * a * spread(otherKernel) + difference * difference * aa + missed);
    },
  };
}

interface Machine {
  readonly bias: number;
  readonly vectors: Uint16Array;
  readonly weights: Float64Array;
}

function compile({ bias, vectors, weights }: SvmModel["main"]): Machine {
  return { bias, vectors: Uint16Array.from(vectors), weights: Float64Array.from(weights) };
}

function scoreOf({ bias, vectors, weights }: Machine, kernel: Float64Array): number {
  let score = bias;
  for (let i = 0; i < vectors.length; i++) score += (weights[i] as number) * (kernel[vectors[i] as number] as number);
  return score;
}
