import { z } from "zod";

/** What a user did. `properties` are scalars; `event_id` makes a retry harmless (same id and timestamp: stored once). */
export const EventInput = z.strictObject({
  event_id: z.string().min(1).max(200).optional(),
  user_id: z.string().trim().min(1).max(200),
  feature_key: z.string().trim().min(1).max(100),
  event_type: z.string().trim().min(1).max(100),
  timestamp: z.iso.datetime({ offset: true }),
  properties: z
    .record(z.string().max(100), z.union([z.string().max(2000), z.number(), z.boolean(), z.null()]))
    .default({}),
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
  readonly properties: Readonly<Record<string, string | number | boolean | null>>;
  readonly source: string | null;
  /** Arm of the experiment that ran on the feature when the event came in. */
  readonly ab_variant: string | null;
}
