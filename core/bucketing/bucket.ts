import { prepareSeed } from "./murmur3.ts";
import { BUCKETS, type Bucketing } from "./split.ts";

/** The bucket, 0 to buckets - 1, of a unit. */
export type BucketOf = (unit: string) => number;

/** 2 to the 32nd: hashes lie below it. */
const HASHES = 0x1_0000_0000;

/**
 * The only way from a unit to a bucket. The hash is mapped by range, never by modulo: every bucket is the same interval
 * of hashes, give or take one, and a percentage is an interval too, so raising it only adds units.
 */
export function compileBucketing(bucketing: Bucketing): BucketOf {
  if (bucketing.algorithm !== "murmur3-v1" || bucketing.buckets !== BUCKETS)
    throw new RangeError(
      `Cannot bucket by "${bucketing.algorithm}" into ${bucketing.buckets}: known is "murmur3-v1" into ${BUCKETS}`,
    );
  const hash = prepareSeed(bucketing.seed);
  // Exact: below 2^49 before the division by a power of two.
  return (unit) => Math.floor((hash(unit) * BUCKETS) / HASHES);
}
