import type { LogisticModel } from "./artifact.ts";
import { type ArmLayout, armCoefficients, blockOf, sizeOf } from "./logistic-design.ts";
import type { Predictor } from "./predictor.ts";

/** By arm: what each column is multiplied with and, last, the intercept. */
export function logisticCoefficients(model: LogisticModel): readonly Float64Array[] {
  const beta = Float64Array.from([...model.coefficients, model.intercept]);
  return Array.from({ length: model.arms }, (_, arm) => armCoefficients(layoutOf(model), beta, arm));
}

/** The raw score is the log odds; errors come from the Laplace posterior. */
export function logisticPredictor(model: LogisticModel): Predictor {
  const { arms, interactions } = model;
  const layout = layoutOf(model);
  const { columns } = layout;
  const coefficients = logisticCoefficients(model);
  // Forms are made when first asked for: a model that only ever compares arms needs no other.
  const errors: (QuadraticForm | undefined)[] = new Array(arms).fill(undefined);
  const differences: (QuadraticForm | undefined)[] = new Array(arms * arms).fill(undefined);
  const all = Uint16Array.from({ length: columns }, (_, j) => j);
  const last = sizeOf(layout) - 1;
  /** For each of (columns..., 1), or of (interactions..., 1), the coefficients it is multiplied with under the arm. */
  const placesOf = (arm: number, over: ArrayLike<number>, shared: boolean) =>
    Array.from({ length: over.length + 1 }, (_, i) => {
      const column = i < over.length ? (over[i] as number) : columns;
      const places = shared ? [column === columns ? last : column] : [];
      const own = column === columns ? 0 : 1 + interactions.indexOf(column);
      if (arm > 0 && (column === columns || own > 0)) places.push(blockOf(layout, arm) + own);
      return places;
    });
  return {
    raw(x, offset, arm) {
      const own = coefficients[arm] as Float64Array;
      let z = own[columns] as number;
      for (let j = 0; j < columns; j++) z += (own[j] as number) * (x[offset + j] as number);
      return z;
    },
    logOdds: (raw) => raw,
    error(x, offset, _, arm) {
      errors[arm] ??= quadraticForm(model.covariance, all, placesOf(arm, all, true), null);
      return (errors[arm] as QuadraticForm)(x, offset);
    },
    differenceError(x, offset, arm, other) {
      const at = arm * arms + other;
      differences[at] ??= quadraticForm(
        model.covariance,
        interactions,
        placesOf(arm, interactions, false),
        placesOf(other, interactions, false),
      );
      return (differences[at] as QuadraticForm)(x, offset);
    },
  };
}

function layoutOf({ coefficients, arms, interactions }: LogisticModel): ArmLayout {
  return { columns: coefficients.length - (arms - 1) * (1 + interactions.length), arms, interactions };
}

type QuadraticForm = (x: Float64Array, offset: number) => number;
type Places = readonly (readonly number[])[];

/**
 * sqrt(v' S v) as a function of the columns `over`, where v holds (columns..., 1) at the places given, and with the opposite
 * sign at those of `minus`. The sum over places is done here, once.
 */
function quadraticForm(
  covariance: readonly number[],
  over: ArrayLike<number>,
  plus: Places,
  minus: Places | null,
): QuadraticForm {
  const columns = Uint16Array.from(over);
  const width = columns.length;
  // v' S v = sum_i v_i (S_ii v_i + 2 sum_{j<i} S_ij v_j): the doubling is done here, too.
  const weight = (i: number, j: number) => {
    let sum = 0;
    if (j > i || i > width) return sum;
    for (const [a, sign] of signed(plus, minus, i))
      for (const [b, other] of signed(plus, minus, j)) sum += sign * other * entry(covariance, a, b);
    return j < i ? 2 * sum : sum;
  };
  // Two rows side by side, more than twice as quick: a column is read once for both, and neither sum waits for the other.
  const weights: number[] = [];
  for (let i = 0; i <= width; i += 2) for (let j = 0; j <= i + 1; j++) weights.push(weight(i, j), weight(i + 1, j));
  const packed = Float64Array.from(weights);
  const v = new Float64Array(width + 2);
  v[width] = 1;
  return (x, offset) => {
    for (let j = 0; j < width; j++) v[j] = x[offset + (columns[j] as number)] as number;
    let variance = 0;
    let at = 0;
    for (let i = 0; i <= width; i += 2) {
      let even = 0;
      let odd = 0;
      for (let j = 0; j <= i + 1; j++) {
        const value = v[j] as number;
        even += (packed[at] as number) * value;
        odd += (packed[at + 1] as number) * value;
        at += 2;
      }
      variance += even * (v[i] as number) + odd * (v[i + 1] as number);
    }
    return Math.sqrt(Math.max(0, variance));
  };
}

function signed(plus: Places, minus: Places | null, i: number): readonly (readonly [place: number, sign: number])[] {
  return [
    ...(plus[i] ?? []).map((place) => [place, 1] as const),
    ...(minus?.[i] ?? []).map((place) => [place, -1] as const),
  ];
}

/** An entry of a symmetric matrix that is stored as its lower triangle, row after row. */
function entry(packed: readonly number[], i: number, j: number): number {
  const [row, column] = i >= j ? [i, j] : [j, i];
  return packed[(row * (row + 1)) / 2 + column] as number;
}
