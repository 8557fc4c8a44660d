import { evaluate } from "../../core/engine/evaluate.ts";
import type { Snapshot } from "../../core/engine/snapshot.ts";
import type { EventInput } from "../../core/event/event.ts";

/**
 * The arm of the experiment that runs on the event's feature now, for the event's user; null when none does. An
 * experiment's split knows the user by id alone, so the same user gets the same arm as in `POST /evaluate`.
 */
export function abVariant(snapshot: Snapshot | undefined, event: EventInput, now: number): string | null {
  if (snapshot === undefined || !snapshot.features.has(event.feature_key)) return null;
  const decision = evaluate(snapshot, event.feature_key, { user_id: event.user_id }, { now });
  return decision instanceof Promise ? null : (decision.experiment?.variant ?? null);
}
