import { createRoute } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { HttpError } from "../errors.ts";
import { EVENT_STREAM, eventStream, LastEventId } from "../event-stream.ts";
import { changeStream } from "../examples/decision.ts";
import type { EventStreams } from "../ofrep/event-streams.ts";
import { type App, on } from "../route.ts";
import { starting } from "./evaluate.ts";

const route = createRoute({
  method: "get",
  path: "/changes",
  operationId: "streamChanges",
  tags: ["decisions"],
  summary: "Hear when decisions may differ",
  description:
    'Server-sent events for clients that can send a token; browsers\' EventSource, which cannot, has the addresses in OFREP\'s `eventStreams`. `id` is the environment\'s revision, `data` is `{type: "refetchEvaluation", etag, lastModified}`, and `etag` is `"<environment>.<revision>"`. The present revision is told at once; with Last-Event-ID only a newer one.',
  request: { headers: LastEventId },
  responses: {
    200: eventStream(changeStream),
  },
});

export function changesRoute(
  app: App,
  { snapshots }: Pick<Services, "snapshots">,
  streams: Pick<EventStreams, "open">,
): void {
  on(app, route, (c) => {
    const environment = c.get("environment");
    if (snapshots.get(environment) === undefined) throw starting();
    const heard = c.req.header("last-event-id") ?? "";
    const stream = streams.open(environment, /^\d{1,15}$/.test(heard) ? Number(heard) : -1);
    if (stream === undefined)
      throw new HttpError(503, "too_many_streams", "This server has as many open streams as it takes; come again", {
        headers: { "Retry-After": "30" },
      });
    return c.body(stream, 200, EVENT_STREAM);
  });
}
