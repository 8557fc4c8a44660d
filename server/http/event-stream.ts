import { z } from "@hono/zod-openapi";

/** Of every answer that is a stream of server-sent events. */
export const EVENT_STREAM = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  // nginx would collect the events until its buffer is full.
  "X-Accel-Buffering": "no",
} as const;

/** For a route's `responses`. */
export function eventStream(example: string) {
  return {
    description: "Events and comments, until the client or the server ends",
    content: { "text/event-stream": { schema: z.string(), example } },
  };
}

/** For a route's `request.headers`. */
export const LastEventId = z.object({
  "Last-Event-ID": z
    .string()
    .optional()
    .describe("The `id` of the last event that was heard: what was missed is told first"),
});
