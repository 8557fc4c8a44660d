/**
 * An example of a bucketing algorithm of your own: GrowthBook's hash, version 2. Units stay where GrowthBook put them when a
 * rollout or an experiment is taken over. Load it with `PLUGINS=./docs/examples/growthbook-hash.ts`, then divide a feature with
 *
 *     { "id": "taken-over", "strategy": "hash-bucketing", "config": {
 *       "bucketing": { "algorithm": "growthbook-v2", "seed": "<the experiment's seed, else its key>" },
 *       "arms": [{ "variant": "on", "weight": 25 }, { "variant": "off", "weight": 75 }] } }
 *
 * Its resolution is 0.01 %, as GrowthBook's is.
 */
import type { BucketingAlgorithm } from "adaptive-feature-flags/plugin-kit";

/** GrowthBook's, of hash version 2. */
const PARTS = 10_000;

export const bucketing: Readonly<Record<string, BucketingAlgorithm>> = {
  "growthbook-v2": {
    summary: "GrowthBook's hash, version 2: FNV-1a of FNV-1a of seed and unit, in 10,000 parts",
    prepare(seed, buckets) {
      const width = buckets / PARTS;
      return (unit) => (fnv1a(String(fnv1a(seed + unit))) % PARTS) * width;
    },
  },
};

/** 32 bits, over UTF-16 code units where the textbook has bytes: so does GrowthBook. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
