import { experimentArm } from "../../core/engine/experiment-arm.ts";
import { checkEvent, type Rejection } from "../../core/event/check-event.ts";
import type { NewEvent } from "../../core/ports.ts";
import type { Services } from "../services.ts";
import { databaseUnavailable } from "./errors.ts";

/** How events come in, one or many: checked, given their experiment's arm, stored, counted. */
export interface EventIntake {
  /** `source` is for events that name none themselves. */
  accept(environment: string, input: unknown, source?: string): NewEvent | Rejection;
  /** Resolves when the events are durable. */
  store(environment: string, events: readonly NewEvent[]): Promise<readonly { id: number; duplicate: boolean }[]>;
}

export function eventIntake({
  clock,
  snapshots,
  events,
  metrics,
  live,
}: Pick<Services, "clock" | "snapshots" | "events" | "metrics" | "live">): EventIntake {
  const stored = metrics.counter("events_stored_total");
  const repeated = metrics.counter("events_duplicates_total");

  return {
    accept(environment, input, source) {
      const checked = checkEvent(input, clock.now());
      if ("rejection" in checked) {
        metrics.count("events_rejected_total", { reason: checked.rejection.code });
        return checked.rejection;
      }
      const { event } = checked;
      const ab_variant = experimentArm(snapshots.get(environment), event.feature_key, event.user_id);
      return source === undefined || event.source !== undefined
        ? { ...event, ab_variant }
        : { ...event, source, ab_variant };
    },

    async store(environment, accepted) {
      if (snapshots.stale) throw databaseUnavailable();
      const outcomes = await snapshots.unlessLost(events.append(environment, accepted));
      const duplicates = outcomes.reduce((sum, { duplicate }) => sum + Number(duplicate), 0);
      stored.add(outcomes.length - duplicates);
      if (duplicates > 0) repeated.add(duplicates);
      if (live.watched)
        for (const [index, { id, duplicate }] of outcomes.entries()) {
          const { user_id, feature_key, event_type, timestamp } = accepted[index] as NewEvent;
          if (!duplicate) live.tellEvent(environment, { id, user_id, feature_key, event_type, timestamp });
        }
      return outcomes;
    },
  };
}

export function isRejection(outcome: NewEvent | Rejection): outcome is Rejection {
  return "code" in outcome;
}
