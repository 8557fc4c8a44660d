export interface ScoreBar {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** How many score so high: bars of equal width from 0 to `high`. `quantiles` as in `shareBelow`. */
export function scoreBars(quantiles: readonly number[], bins: number, high = 1): readonly ScoreBar[] {
  return Array.from({ length: bins }, (_, bin) => {
    const [from, to] = [(bin / bins) * high, ((bin + 1) / bins) * high];
    // What equals the upper end of the last bar belongs into it.
    const below = bin === bins - 1 ? 1 : shareBelow(quantiles, to);
    return { from, to, share: below - shareBelow(quantiles, from) };
  });
}

/** `quantiles` are evenly spaced, the first is the least score and the last the largest. */
export function shareBelow(quantiles: readonly number[], score: number): number {
  const last = quantiles.length - 1;
  const above = quantiles.findIndex((quantile) => quantile >= score);
  if (above === -1) return 1;
  if (above === 0) return 0;
  const [low, high] = [quantiles[above - 1] as number, quantiles[above] as number];
  return (above - 1 + (high > low ? (score - low) / (high - low) : 0)) / last;
}
