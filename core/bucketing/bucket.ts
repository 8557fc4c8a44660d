import { hashUnit, prepareSeed, type Seed } from "./murmur3.ts";
import { BUCKETS, type Bucketing } from "./split.ts";

/** 2 to the 32nd: hashes lie below it. */
const HASHES = 0x1_0000_0000;

/** Throws a RangeError for an algorithm or a number of buckets that is not known. */
export function compileBucketing(bucketing: Bucketing): Seed {
  if (bucketing.algorithm !== "murmur3-v1" || bucketing.buckets !== BUCKETS)
    throw new RangeError(
      `Cannot bucket by "${bucketing.algorithm}" into ${bucketing.buckets}: known is "murmur3-v1" into ${BUCKETS}`,
    );
  return prepareSeed(bucketing.seed);
}

/**
 * The bucket, 0 to buckets - 1, of a unit: the only way to it. The hash is mapped by range, never by modulo: every bucket
 * is the same interval of hashes, give or take one, and a percentage is an interval too, so raising it only adds units.
 */
export function bucketOf(seed: Seed, unit: string): number {
  // Exact: below 2^49 before the division by a power of two.
  return Math.floor((hashUnit(seed, unit) * BUCKETS) / HASHES);
}
