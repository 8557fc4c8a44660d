import { z } from "zod";
import type { Model } from "./model.ts";

/** With fewer positive outcomes of an arm, a model that compares arms is stale, however young. */
export const MIN_POSITIVES = 50;

const Process = z.object({ arms: z.array(z.object({ arm: z.string(), positives: z.number() })) });

/** Positive outcomes a model was trained with, by arm; null when it was not trained by arm, or goes on learning. */
export function positivesOf({
  process,
  learner,
}: Pick<Model, "process" | "learner">): Readonly<Record<string, number>> | null {
  const parsed = Process.safeParse(process);
  if (!parsed.success || learner === "ridge") return null;
  return Object.fromEntries(parsed.data.arms.map(({ arm, positives }) => [arm, positives]));
}

/** In words, the arms with too few positives; null: none. */
export function tooFewPositives(positives: Readonly<Record<string, number>> | null): string | null {
  const few = Object.entries(positives ?? {}).filter(([, count]) => count < MIN_POSITIVES);
  if (few.length === 0) return null;
  const found = few.map(([arm, count]) => `${count} of "${arm}"`).join(", ");
  return `trained with too few positive outcomes (${found}), and ${MIN_POSITIVES} of each variant are needed`;
}
