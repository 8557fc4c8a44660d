import { z } from "zod";
import { parseTimestamp } from "./parse-timestamp.ts";

export const PropertyValue = z.union([z.string().max(2000), z.number(), z.boolean(), z.null()]);
export type PropertyValue = z.infer<typeof PropertyValue>;

/**
 * What a user did, as a client sends it. `event_id` makes a retry harmless (same id and timestamp: stored once).
 * This schema documents the shape; check-event.ts holds events to it, and to the limits no schema can say.
 */
export const EventInput = z.strictObject({
  event_id: z.string().min(1).max(200).optional(),
  user_id: z.string().trim().min(1).max(200),
  feature_key: z.string().trim().min(1).max(100),
  event_type: z.string().trim().min(1).max(100),
  /** With a zone; kept to the millisecond. */
  timestamp: z
    .string()
    .refine((text) => typeof parseTimestamp(text) === "number", { message: "Give an ISO 8601 time with its zone" })
    .meta({ format: "date-time" }),
  properties: z.record(z.string().max(100), PropertyValue).default({}),
  source: z.string().max(100).optional(),
});
export type EventInput = z.infer<typeof EventInput>;

export interface Event {
  readonly id: number;
  readonly event_id: string | null;
  readonly user_id: string;
  readonly feature_key: string;
  readonly event_type: string;
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly source: string | null;
  /** Arm of the experiment that ran on the feature when the event came in. */
  readonly ab_variant: string | null;
}
