/** A way to divide units among buckets, beside murmur3-v1. Its name ends in its version, since splits store it for ever. */
export interface BucketingAlgorithm {
  /** One sentence for the docs. */
  readonly summary: string;
  /**
   * Called once per split or gate; returns the bucketer. Pure, evenly spread, and quick by construction: nothing measures
   * it. Two seeds divide the same units independently.
   */
  prepare(seed: string, buckets: number): Bucketer;
}

/** The bucket of a unit: a whole number, 0 to buckets - 1. */
export type Bucketer = (unit: string) => number;

/** What a plugin may call its algorithm: what it does, and the version of exactly how. */
export const ALGORITHM_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*-v[1-9][0-9]*$/;

export const MURMUR = "murmur3-v1";

let plugged: ReadonlyMap<string, BucketingAlgorithm> = new Map();

/** Replaces the algorithms that plugins brought: one set per process, as splits are checked in many places. */
export function plugAlgorithms(algorithms: ReadonlyMap<string, BucketingAlgorithm>): void {
  plugged = new Map(algorithms);
}

/** undefined for murmur3-v1, which is no plugin's, and for names nobody brought. */
export function findAlgorithm(name: string): BucketingAlgorithm | undefined {
  return plugged.get(name);
}

/** Every algorithm known here. */
export function algorithmNames(): readonly string[] {
  return [MURMUR, ...plugged.keys()];
}
