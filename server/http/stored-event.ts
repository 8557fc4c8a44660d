import { z } from "@hono/zod-openapi";
import { PropertyValue } from "../../core/event/event.ts";

/** An event as it is answered. */
export const StoredEvent = z
  .object({
    id: z.int(),
    event_id: z.string().nullable(),
    user_id: z.string(),
    feature_key: z.string(),
    event_type: z.string(),
    timestamp: z.string().describe("UTC, to the millisecond"),
    properties: z.record(z.string(), PropertyValue),
    source: z.string().nullable(),
    ab_variant: z.string().nullable().describe("Arm of the experiment that ran on the feature when the event came in"),
  })
  .meta({ id: "StoredEvent" });
export type StoredEventAnswer = z.infer<typeof StoredEvent>;
