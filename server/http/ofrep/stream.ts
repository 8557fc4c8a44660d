import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { HttpError } from "../errors.ts";
import { EVENT_STREAM, eventStream, LastEventId } from "../event-stream.ts";
import { changeStream } from "../examples/decision.ts";
import { type App, on, type RouteContext } from "../route.ts";
import { ofrepFailures } from "./answer-error.ts";
import type { Decider } from "./decider.ts";
import type { EventStreams } from "./event-streams.ts";
import { isSigned, type StreamGrant } from "./stream-address.ts";

const Whole = z.string().regex(/^\d{1,15}$/);

const route = createRoute({
  method: "get",
  path: "/ofrep/v1/streams/{environment}",
  operationId: "streamFlagChanges",
  tags: ["ofrep"],
  summary: "OFREP: hear when to fetch again",
  description:
    "Server-sent events at an address from `eventStreams`. `data` is `{type: refetchEvaluation, etag, lastModified}`, `id` the revision; with Last-Event-ID what was missed is told at once. Needs no token: the address is signed, and opens streams for one to two hours.",
  request: {
    params: z.object({ environment: z.string().meta({ examples: ["production"] }) }),
    query: z.object({
      since: Whole.meta({ description: "The revision the client has seen", examples: ["8"] }),
      expires: Whole.meta({ description: "Seconds since the epoch", examples: ["1795381200"] }),
      signature: z.string().meta({ examples: ["GlZD7yOV6YyZVCjJVvlhlmkdZOPUkwTjrEKOKQFMn0o"] }),
    }),
    headers: LastEventId,
  },
  responses: {
    200: eventStream(changeStream),
    ...ofrepFailures(403, 429, 500, 503),
  },
  security: [],
});

export function streamRoute(
  app: App,
  services: Pick<Services, "clock" | "secrets" | "snapshots">,
  { decider, streams }: { decider: Decider; streams: EventStreams },
): void {
  const { clock, secrets, snapshots } = services;
  on(app, route, async (c) => {
    const grant = grantOf(c);
    if (!isSigned(await secrets.eventStreamKey(), grant, c.req.query("signature") ?? ""))
      throw refused("is not one this server gave out");
    if (grant.expires * 1000 <= clock.now()) throw refused("has expired");
    const { environment, since } = grant;
    if (snapshots.get(environment) === undefined) await snapshots.refresh(environment);
    decider.snapshot(environment);
    const stream = streams.open(environment, lastHeard(c) ?? since);
    if (stream === undefined)
      throw new HttpError(
        429,
        "too_many_streams",
        "This server has as many open event streams as it takes; come again",
        {
          headers: { "Retry-After": "30" },
        },
      );
    return c.body(stream, 200, EVENT_STREAM);
  });
}

function grantOf(c: RouteContext): StreamGrant {
  return {
    environment: c.req.param("environment") ?? "",
    since: Number(c.req.query("since")),
    expires: Number(c.req.query("expires")),
  };
}

function lastHeard(c: RouteContext): number | undefined {
  const id = c.req.header("last-event-id");
  return id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

function refused(why: string): HttpError {
  return new HttpError(
    403,
    "stream_refused",
    `The address of this event stream ${why}; POST /ofrep/v1/evaluate/flags gives one`,
  );
}
