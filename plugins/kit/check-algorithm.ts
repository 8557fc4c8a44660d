import { ALGORITHM_NAME, type BucketingAlgorithm } from "../../core/bucketing/algorithm.ts";
import { BUCKETS } from "../../core/bucketing/split.ts";
import { type Check, check, shown } from "./check.ts";

export interface AlgorithmSamples {
  /** Seed, unit and the bucket of 100,000 it must fall into: from the system whose assignments are kept. Default: none. */
  readonly known?: readonly (readonly [seed: string, unit: string, bucket: number])[];
}

/** What every bucketing algorithm must hold: the same bucket for ever, evenly spread, independent by seed. */
export function checkAlgorithm(
  name: string,
  algorithm: BucketingAlgorithm,
  { known = [] }: AlgorithmSamples = {},
): readonly Check[] {
  const bucketer = (seed: string) => algorithm.prepare(seed, BUCKETS);
  return [
    check("is named with its version", () => {
      if (!ALGORITHM_NAME.test(name)) throw new Error(`The name is "${name}", one as in fnv1a-v1 is wanted`);
    }),
    check("puts odd units into buckets", () => {
      const bucketOf = bucketer("odd");
      for (const unit of ODD_UNITS) {
        const bucket = bucketOf(unit);
        if (!Number.isInteger(bucket) || bucket < 0 || bucket >= BUCKETS)
          throw new Error(
            `The bucket of ${shown(unit)} is ${bucket}, a whole number from 0 to ${BUCKETS - 1} is wanted`,
          );
      }
    }),
    check("puts the same unit into the same bucket", () => {
      const [one, other] = [bucketer("same"), bucketer("same")];
      const forth = UNITS.map((unit) => one(unit));
      const back = UNITS.toReversed().map((unit) => other(unit));
      const at = forth.findIndex((bucket, index) => bucket !== back.at(-1 - index));
      if (at !== -1) throw new Error(`The bucket of ${shown(UNITS[at])} is ${forth[at]}, then ${back.at(-1 - at)}`);
    }),
    check("spreads units evenly", () => {
      const bucketOf = bucketer("even");
      const counts = new Array<number>(PARTS).fill(0);
      for (const unit of UNITS) counts[partOf(bucketOf(unit))] = (counts[partOf(bucketOf(unit))] ?? 0) + 1;
      evenly(counts, "The parts of the buckets hold");
    }),
    check("divides the same units anew for each seed", () => {
      const [one, other] = [bucketer("one"), bucketer("other")];
      const counts = new Array<number>(PARTS).fill(0);
      for (const unit of UNITS) {
        const at = (partOf(one(unit)) + PARTS - partOf(other(unit))) % PARTS;
        counts[at] = (counts[at] ?? 0) + 1;
      }
      evenly(counts, "From one seed to another, units move by so many parts:");
    }),
    ...(known.length === 0 ? [] : [check("gives the buckets that are known", () => checkKnown(bucketer, known))]),
  ];
}

const PARTS = 20;
const UNITS = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
const ODD_UNITS = ["x", "Zoë", "日本\ud83d\ude00", "\ud800", "x".repeat(10_000), "0", " ", "\u0000"];

function partOf(bucket: number): number {
  return Math.floor((bucket * PARTS) / BUCKETS);
}

/** Chi-squared with 19 degrees of freedom: a fair algorithm exceeds 60 once in 300,000 times. */
function evenly(counts: readonly number[], what: string): void {
  const fair = UNITS.length / PARTS;
  const distance = counts.reduce((sum, count) => sum + (count - fair) ** 2 / fair, 0);
  if (!(distance < 60))
    throw new Error(`${what} ${counts.join(", ")} of ${UNITS.length} units, ${fair} each is wanted`);
}

function checkKnown(
  bucketer: (seed: string) => (unit: string) => number,
  known: readonly (readonly [string, string, number])[],
): void {
  for (const [seed, unit, wanted] of known) {
    const found = bucketer(seed)(unit);
    if (found !== wanted) throw new Error(`The bucket of ${shown(unit)} by ${shown(seed)} is ${found}, not ${wanted}`);
  }
}
