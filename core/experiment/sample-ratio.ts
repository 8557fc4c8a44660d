import gammaincomplete from "@stdlib/math-base-special-gammainc";

/**
 * Probability of an imbalance at least this large when users really were divided by the weights (chi-square test with one
 * degree of freedom fewer than arms). Small values mean lost or doubled exposures: then no number of the experiment can be
 * trusted. Weights need not sum to 1; an arm of weight 0 is left out of the sum but counted as an arm. No users: 1.
 */
export function sampleRatioPValue(users: readonly number[], weights: readonly number[]): number {
  const allUsers = users.reduce((sum, count) => sum + count, 0);
  const allWeights = weights.reduce((sum, weight) => sum + weight, 0);
  if (allUsers === 0) return 1;
  let statistic = 0;
  users.forEach((count, arm) => {
    const expected = ((weights[arm] ?? 0) / allWeights) * allUsers;
    if (expected > 0) statistic += (count - expected) ** 2 / expected;
  });
  return chiSquareSurvival(statistic, users.length - 1);
}

/** P(X > x) by the upper incomplete gamma function: 1 - cdf has no digits left where it matters most. */
function chiSquareSurvival(x: number, freedom: number): number {
  return gammaincomplete(x / 2, freedom / 2, true, true);
}
