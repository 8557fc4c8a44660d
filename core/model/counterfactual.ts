import type { EncodedFeature } from "./encoding.ts";
import type { Scalar } from "./feature-row.ts";

/** The part of a scorer that is needed: what it looks at, what the user holds there, and how to suppose something else. */
export interface Supposing {
  readonly features: readonly EncodedFeature[];
  /** Of the user last scored. */
  readonly values: readonly Scalar[];
  assume(feature: number | null, value: Scalar): void;
}

export interface Change {
  /** Name of the raw column, such as `attribute.age` or `events.view.count`. */
  readonly feature: string;
  readonly from: Scalar;
  readonly to: Scalar;
  /** How far that is: the share of users between the two values, or that do not have the category, 0..1. */
  readonly change: number;
  /** The answer it would give. */
  readonly would_be: string;
}

/** Calls of `decide`, at most. */
const MAX_SCORINGS = 2000;
/** Halvings of the way between two quantiles. */
const HALVINGS = 12;

/**
 * The smallest change of one attribute or measure, all others as they are, that changes the answer; null when none of those
 * that were seen in training does. Numbers are looked for among the training quantiles, then between the two nearest of
 * them; categories among the known levels. Every candidate is scored in full: nothing is approximated.
 *
 * @param decide scores the user anew and answers in one word; the same word is the same answer
 */
export function smallestChange(scorer: Supposing, decide: () => string): Change | null {
  scorer.assume(null, null);
  const now = decide();
  const held = [...scorer.values];
  let scorings = 1;
  const answerWith = (feature: number, value: Scalar) => {
    scorings++;
    scorer.assume(feature, value);
    return decide();
  };
  const candidates = scorer.features
    .flatMap((feature, index) => candidatesOf(feature, index, held[index] ?? null))
    .sort((a, b) => a.distance - b.distance || a.index - b.index);
  let best: (Candidate & { readonly would_be: string }) | undefined;
  try {
    for (const candidate of candidates) {
      // What lies up to a quantile beyond may be nearer, once the way to it is halved.
      if (best !== undefined && candidate.nearest >= best.distance) continue;
      if (scorings + HALVINGS + 8 > MAX_SCORINGS) break;
      const would_be = answerWith(candidate.index, candidate.to);
      if (would_be === now) continue;
      const found = nearer({ ...candidate, would_be }, now, answerWith);
      if (best === undefined || found.distance < best.distance) best = found;
    }
  } finally {
    scorer.assume(null, null);
    decide(); // so that the scorer's last user is the real one again
  }
  if (best === undefined) return null;
  const { index, to, distance, would_be } = best;
  const feature = scorer.features[index] as EncodedFeature;
  return { feature: feature.name, from: held[index] ?? null, to, change: distance, would_be };
}

interface Candidate {
  readonly index: number;
  readonly to: Scalar;
  readonly distance: number;
  /** The distance of the quantile before, up to which this one's side is already known. */
  readonly nearest: number;
  /** Where a number may be between; undefined: nothing is. */
  readonly between?: Between | undefined;
}

interface Between {
  readonly feature: EncodedFeature & { kind: "number" };
  readonly from: number;
  /** A value that does not change the answer: the quantile before, or the one held. */
  readonly before: number;
}

function candidatesOf(feature: EncodedFeature, index: number, held: Scalar): readonly Candidate[] {
  if (feature.kind === "category") {
    const now = held === null ? null : String(held);
    return feature.levels.flatMap(([level], place) => {
      if (level === now) return [];
      const distance = 1 - (feature.shares[place] ?? 0);
      return [{ index, to: asBefore(level, held), distance, nearest: distance }];
    });
  }
  const { quantiles } = feature;
  const values = [...new Set(quantiles)];
  if (typeof held !== "number") return values.map((to) => ({ index, to, distance: 1, nearest: 1 }));
  const candidate = (to: number, before: number): Candidate => ({
    index,
    to,
    distance: distanceOf(quantiles, held, to),
    nearest: distanceOf(quantiles, held, before),
    between: { feature, from: held, before },
  });
  const below = values.filter((value) => value < held).reverse();
  const above = values.filter((value) => value > held);
  return [below, above].flatMap((side) => side.map((to, i) => candidate(to, i === 0 ? held : (side[i - 1] as number))));
}

/** Booleans are levels by their name. */
function asBefore(level: string, held: Scalar): Scalar {
  return typeof held === "boolean" && (level === "true" || level === "false") ? level === "true" : level;
}

/** Halves the way to a number that changes the answer, then shortens it to as few digits as still do. */
function nearer(
  found: Candidate & { would_be: string },
  now: string,
  answerWith: (feature: number, value: Scalar) => string,
): Candidate & { would_be: string } {
  const { between, index } = found;
  if (between === undefined) return found;
  const { feature, from, before } = between;
  let same = before;
  let other = found.to as number;
  let { would_be } = found;
  const accept = (value: number) => {
    const answer = answerWith(index, value);
    if (answer === now) return false;
    other = value;
    would_be = answer;
    return true;
  };
  if (feature.quantiles.every(Number.isInteger)) {
    while (Math.abs(other - same) > 1) {
      const middle = Math.round((same + other) / 2);
      if (!accept(middle)) same = middle;
    }
  } else {
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (same + other) / 2;
      if (!accept(middle)) same = middle;
    }
    for (let digits = 2; digits <= 5; digits++) {
      const short = Number(other.toPrecision(digits));
      if ((short - same) * (short - other) <= 0 && short !== same && accept(short)) break;
    }
  }
  return { ...found, to: other, would_be, distance: distanceOf(feature.quantiles, from, other) };
}

function distanceOf(quantiles: readonly number[], from: number, to: number): number {
  return Math.abs(placeOf(quantiles, to) - placeOf(quantiles, from));
}

/** The share of the training rows below a value, linear between quantiles; of a value that fills several, the middle of them. */
function placeOf(quantiles: readonly number[], value: number): number {
  const last = quantiles.length - 1;
  const above = quantiles.findIndex((quantile) => quantile >= value);
  if (above === -1) return 1;
  if (quantiles[above] === value) return (above + quantiles.lastIndexOf(value)) / 2 / last;
  if (above === 0) return 0;
  const [low, high] = [quantiles[above - 1] as number, quantiles[above] as number];
  return (above - 1 + (value - low) / (high - low)) / last;
}
