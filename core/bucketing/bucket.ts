import { algorithmNames, type Bucketer, findAlgorithm, MURMUR } from "./algorithm.ts";
import { hashUnit, prepareSeed, type Seed } from "./murmur3.ts";
import { BUCKETS, type Bucketing } from "./split.ts";

/** Buckets a hash, of which there are 2 to the 32nd. */
const BUCKETS_A_HASH = BUCKETS / 0x1_0000_0000;

/** One of the two is null. Apart, so that murmur3-v1, which nearly everyone uses, is called directly. */
export interface CompiledBucketing {
  /** Of murmur3-v1. */
  readonly seed: Seed | null;
  /** Of a plugin's algorithm. */
  readonly plugged: Bucketer | null;
}

/** Throws a RangeError for an algorithm or a number of buckets that is not known, and what a plugin's algorithm throws. */
export function compileBucketing({ algorithm, seed, buckets }: Bucketing): CompiledBucketing {
  if (buckets !== BUCKETS) throw new RangeError(`Cannot bucket into ${buckets}: known is into ${BUCKETS}`);
  if (algorithm === MURMUR) return { seed: prepareSeed(seed), plugged: null };
  const found = findAlgorithm(algorithm);
  if (found === undefined)
    throw new RangeError(
      `There is no bucketing algorithm "${algorithm}", only ${algorithmNames().join(", ")}: is its plugin loaded?`,
    );
  return { seed: null, plugged: found.prepare(seed, buckets) };
}

/**
 * The bucket, 0 to buckets - 1, of a unit by murmur3-v1. The hash is mapped by range, never by modulo: every bucket is the
 * same interval of hashes, give or take one, and a percentage is an interval too, so raising it only adds units.
 */
export function bucketOf(seed: Seed, unit: string): number {
  // Exact: an integer below 2^49, divided by a power of two.
  return (hashUnit(seed, unit) * BUCKETS_A_HASH) | 0;
}

/** By whichever algorithm. Throws a RangeError when a plugin's answers anything but a bucket. */
export function bucketBy({ seed, plugged }: CompiledBucketing, unit: string): number {
  if (seed !== null) return bucketOf(seed, unit);
  const bucket = (plugged as Bucketer)(unit);
  if (Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS) return bucket;
  throw new RangeError(`A bucketing algorithm answered ${String(bucket)}, not a whole number from 0 to ${BUCKETS - 1}`);
}
