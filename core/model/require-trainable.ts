import { Invalid } from "../ports.ts";
import type { Dataset } from "./dataset.ts";
import { outcomesDiffer, type Split } from "./split-dataset.ts";

/** Fewest examples, and fewest of each class, that are trained on. */
export const MIN_EXAMPLES = 50;
export const MIN_OF_EACH_CLASS = 10;

/** What was seen of one variant. */
export interface ArmCount {
  readonly arm: string;
  readonly rows: number;
  readonly positives: number;
  /** Mean outcome, 0..1. */
  readonly mean: number;
}

/** By variant, in the dataset's order. */
export function countArms({ arms, arm, labels, values, rows }: Dataset): readonly ArmCount[] {
  const counts = (arms ?? []).map((name) => ({ arm: name, rows: 0, positives: 0, sum: 0 }));
  for (let row = 0; row < rows; row++) {
    const count = counts[arm?.[row] ?? 0];
    if (count === undefined) continue;
    count.rows++;
    count.positives += labels[row] as number;
    count.sum += values[row] as number;
  }
  return counts.map(({ sum, ...count }) => ({ ...count, mean: sum / Math.max(1, count.rows) }));
}

/** @throws Invalid `insufficient_data` or `one_class`: the message says how much there is and how much is needed */
export function requireEnough(dataset: Dataset): void {
  const { rows, labels } = dataset;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const what = whatOf(dataset);
  const wanted = `At least ${MIN_EXAMPLES} are needed, ${MIN_OF_EACH_CLASS} of them followed by a positive event ${whichOf(dataset)} and ${MIN_OF_EACH_CLASS} not.${waitingOf(dataset)}`;
  if (rows < MIN_EXAMPLES) throw new Invalid("insufficient_data", `Cannot train on ${rows} ${what}. ${wanted}`);
  const allRows = Uint32Array.from({ length: rows }, (_, row) => row);
  // Numbers may differ although everybody has some.
  const negatives = rows - positives;
  const enoughNegatives = negatives >= MIN_OF_EACH_CLASS || (negatives === 0 && outcomesDiffer(dataset, allRows));
  if (positives < MIN_OF_EACH_CLASS || !enoughNegatives)
    throw new Invalid(
      positives === 0 || negatives === 0 ? "one_class" : "insufficient_data",
      `Cannot train on ${rows} ${what}: ${positives} of them were followed by a positive event, ${negatives} were not. ${wanted}`,
    );
}

/**
 * The variants that can be compared, the safe one first. Others of which too little was seen are left out rather than keep
 * all from being learned: a variant just added waits for the next training.
 *
 * @param safe the variant the others are compared with
 * @throws Invalid `one_arm` or `insufficient_data`: the message says what was found of each variant
 */
export function requireArms(dataset: Dataset, counts: readonly ArmCount[], safe: string): readonly string[] {
  const served = counts.filter(({ rows }) => rows > 0);
  const what = whatOf(dataset);
  if (served.length < 2)
    throw new Invalid(
      "one_arm",
      `Cannot learn which variant is better from ${dataset.rows} ${what}: ${served[0]?.arm ?? "none"} was the only variant served. Exploration or a holdout (the objective's "exploration" and "holdout") serves the others to some`,
    );
  const enough = counts.filter(({ positives }) => positives >= MIN_OF_EACH_CLASS).map(({ arm }) => arm);
  if (enough.includes(safe) && enough.length > 1) return enough;
  const found = counts.map(({ arm, rows, positives }) => `${arm} ${rows}, ${positives} of them positive`).join("; ");
  throw new Invalid(
    "insufficient_data",
    `Cannot learn which variant is better from ${dataset.rows} ${what} (${found}): of the safe variant (${safe}) and of another one at least ${MIN_OF_EACH_CLASS} must be followed by a positive event ${whichOf(dataset)}.${waitingOf(dataset)}`,
  );
}

/** @throws Invalid `insufficient_data` when a slice has but one outcome */
export function requireOutcomes(dataset: Dataset, split: Split): void {
  for (const name of ["train", "calibration", "validation"] as const) {
    const rows = split[name];
    if (outcomesDiffer(dataset, rows)) continue;
    const positives = rows.reduce((sum, row) => sum + (dataset.labels[row] as number), 0);
    throw new Invalid(
      "insufficient_data",
      `Cannot train: of the ${rows.length} moments in the ${name} slice (split by ${split.by}), ${positives} were followed by a positive event and ${rows.length - positives} were not. Each slice needs both: more events, or events spread over more users, would help`,
    );
  }
}

function whichOf({ source }: Dataset): string {
  return `(${source.positive_event_types.join(", ")}) of the same user within ${source.window_seconds} seconds`;
}

function waitingOf({ source }: Dataset): string {
  return source.immature === 0
    ? ""
    : ` ${source.immature} more are too recent: their window of ${source.window_seconds} seconds had not passed by ${source.data_window.to}; a shorter window_seconds would count more of them.`;
}

function whatOf({ source }: Dataset): string {
  switch (source.moments) {
    case "exposures":
      return "moments of decision (stored decisions of the feature)";
    case "views":
      return "moments of decision (view events)";
    case "events":
      return "moments of decision (events, as there are no view events)";
    case "cut":
      return "moments of decision (users known at the cut)";
  }
}
