import type { ArmCount } from "./arm-count.ts";
import type { Experiment } from "./experiment.ts";
import type { Comparison } from "./result.ts";

const DAY = 86_400_000;
/** Milliseconds of arrivals below which nobody knows how fast users come. */
const LEAST = 3_600_000;
/** Days beyond which it is as good as never. */
const MOST = 3_650;

/**
 * About how many more days an experiment needs until it can be decided, when users go on arriving and acting as they did:
 * until every arm has its samples; then until the intervals, which shrink with the square root of the users, leave no doubt.
 * null: nobody can tell yet, or never, as the difference lies too close to `min_lift`.
 *
 * @param since milliseconds since the epoch: the first exposure; null: there was none
 */
export function daysLeft(
  { arms, min_samples_per_variant, min_lift }: Pick<Experiment, "arms" | "min_samples_per_variant" | "min_lift">,
  counts: Readonly<Record<string, ArmCount>>,
  comparisons: readonly Comparison[],
  { since, now }: { since: number | null; now: number },
): number | null {
  const elapsed = since === null ? 0 : now - since;
  if (elapsed < LEAST) return null;
  const users = (name: string) => counts[name]?.users ?? 0;
  const all = arms.reduce((sum, { name }) => sum + users(name), 0);
  const waits = arms.map(
    ({ name, weight }) => ((min_samples_per_variant - users(name)) / (all * (weight / 100))) * elapsed,
  );
  const wait = Math.max(...waits) > 0 ? Math.max(...waits) : untilClear(comparisons, min_lift) * elapsed;
  const days = Math.max(1, Math.ceil(wait / DAY));
  return days <= MOST ? days : null;
}

/** How many times as long as it has run. One that looks better decides alone; else all have to be seen not to be. */
function untilClear(comparisons: readonly Comparison[], minLift: number): number {
  const open = comparisons.filter(({ verdict, interval }) => verdict === "undecided" && interval !== null);
  const promising = open.filter(({ absolute_lift }) => absolute_lift >= minLift);
  const times = (promising.length > 0 ? promising : open).map(({ absolute_lift, interval }) => {
    const [low, high] = interval ?? [0, 0];
    const room = absolute_lift >= minLift ? absolute_lift : minLift - absolute_lift;
    return ((high - low) / 2 / room) ** 2 - 1;
  });
  return promising.length > 0 ? Math.min(...times) : Math.max(...times);
}
