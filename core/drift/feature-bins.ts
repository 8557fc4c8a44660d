import type { EncodedFeature } from "../model/encoding.ts";
import type { Scalar } from "../model/feature-row.ts";
import { type Bins, quantileBins } from "./bins.ts";

/**
 * The cells of a model's input, with the shares of its training data: tenths of the numbers, or the levels and all others;
 * and one cell of those without a value.
 */
export function featureBins(feature: EncodedFeature): Bins<Scalar> {
  return feature.kind === "number" ? numberBins(feature) : categoryBins(feature);
}

function numberBins({ quantiles, missing_share }: Extract<EncodedFeature, { kind: "number" }>): Bins<Scalar> {
  const { shares, cellOf } = quantileBins(quantiles);
  return {
    shares: [...shares.map((share) => share * (1 - missing_share)), missing_share],
    cellOf: (value) => (typeof value === "number" ? cellOf(value) : shares.length),
  };
}

function categoryBins({ levels, shares }: Extract<EncodedFeature, { kind: "category" }>): Bins<Scalar> {
  const places = new Map(levels.map(([level], place) => [level, place]));
  const [other, missing] = [levels.length, levels.length + 1];
  return { shares, cellOf: (value) => (value === null ? missing : (places.get(String(value)) ?? other)) };
}
