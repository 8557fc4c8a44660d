import type { Proportion } from "./sample.ts";

interface Yeses {
  readonly users: number;
  /** Users who said yes. */
  readonly positives: number;
}

/** With fewer users than this on one side of yes and no, rates are estimated with one more yes and one more no an arm. */
const FEW = 5;

/**
 * An arm of which nobody (or everybody) acted does not vary, and a normal interval would be a point: the more so the
 * fewer they are. One more yes and one more no an arm gives intervals that cover (Agresti and Caffo 2000). undefined: an arm
 * has fewer than two users.
 */
export function proportions(
  control: Yeses,
  arm: Yeses,
): readonly [control: Proportion, treatment: Proportion] | undefined {
  if (control.users < 2 || arm.users < 2) return undefined;
  const few = [control, arm].some(({ users, positives }) => Math.min(positives, users - positives) < FEW);
  const extra = few ? 1 : 0;
  const sample = ({ users, positives }: Yeses): Proportion => ({
    type: "proportion",
    n: users + 2 * extra,
    sum: positives + extra,
  });
  return [sample(control), sample(arm)];
}
