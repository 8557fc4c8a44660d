import { createRoute, z } from "@hono/zod-openapi";
import type { Rejection } from "../../../core/event/check-event.ts";
import type { EventStore, NewEvent } from "../../../core/ports.ts";
import { check, readJson } from "../body.ts";
import { type EventIntake, isRejection } from "../event-intake.ts";
import { event, storedEvent } from "../examples/event.ts";
import { type App, header, json, on, type RouteContext } from "../route.ts";
import { SentEvent } from "../sent-event.ts";
import { StoredEvent } from "../stored-event.ts";

/** Events one call of /ingest/events may carry, and the bytes they may take. */
export const INGEST_EVENTS = 5_000;
export const INGEST_LIMIT = 8 * 1024 * 1024;

const IngestRequest = z
  .strictObject({
    source: z.string().trim().min(1).max(100).describe("Kept with every event that names none itself"),
    events: z.array(SentEvent).min(1).max(INGEST_EVENTS),
  })
  .meta({ id: "IngestRequest" });

/** The same without the events themselves: each is checked on its own, and a bad one is rejected alone. */
const IngestEnvelope = z.strictObject({
  source: IngestRequest.shape.source,
  events: z.array(z.unknown()).min(1).max(INGEST_EVENTS),
});

const IngestAnswer = z
  .object({
    saved_events: z.int().describe("Newly stored by this call"),
    rejected: z.int(),
    duplicates: z.int().describe("Stored before, or twice in this call"),
    rejections: z.array(
      z.object({
        index: z.int().describe("Position in `events`, from 0"),
        code: z.string(),
        message: z.string(),
        field: z.string().optional(),
      }),
    ),
  })
  .meta({ id: "IngestAnswer" });

/** PostgreSQL has no NUL: no event could have this name. */
const Name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\0]*$/, "Holds a NUL character");

const ListQuery = z.object({
  user_id: Name.optional(),
  feature_key: Name.optional(),
  event_type: Name.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional().describe("X-Next-Cursor of the page before"),
});

const ingestAnswer = {
  saved_events: 1,
  rejected: 1,
  duplicates: 0,
  rejections: [{ index: 1, code: "missing_field", message: "is missing; give a text", field: "user_id" }],
};

/** Not on the last page. */
const NEXT_PAGE = {
  "X-Next-Cursor": { ...header("Of the next page, if there is one", "2026-01-22T19:30:00.000Z_42"), required: false },
  Link: { ...header("Its address", '</events?cursor=...>; rel="next"'), required: false },
};

export const ingest = createRoute({
  method: "post",
  path: "/ingest/events",
  operationId: "ingestEvents",
  tags: ["events"],
  summary: "Store many events",
  description: "Answers after the commit. An event that is not valid is rejected alone, by its index.",
  request: {
    body: {
      ...json(IngestRequest, "1 to 5000 events, at most 8 MB", { source: "shop", events: [event] }),
      required: true,
    },
  },
  responses: {
    201: json(IngestAnswer, "What was stored and what was not", ingestAnswer),
  },
});

export const list = createRoute({
  method: "get",
  path: "/events",
  operationId: "listEvents",
  tags: ["events"],
  summary: "Events, newest first",
  description: "The next page's cursor is in `X-Next-Cursor` (and its address in `Link`); the last page has neither.",
  request: { query: ListQuery },
  responses: { 200: { ...json(z.array(StoredEvent), "One page", [storedEvent]), headers: NEXT_PAGE } },
});

/** `POST /ingest/events` and `GET /events`. */
export function eventRoutes(app: App, intake: EventIntake, events: EventStore): void {
  on(app, ingest, async (c) => {
    const environment = c.get("environment");
    const envelope = check(IngestEnvelope, await readJson(c, { limit: INGEST_LIMIT }));
    const accepted: NewEvent[] = [];
    const rejections: (Rejection & { index: number })[] = [];
    for (const [index, input] of envelope.events.entries()) {
      const event = intake.accept(environment, input, envelope.source);
      if (isRejection(event)) rejections.push({ index, ...event });
      else accepted.push(event);
    }
    const outcomes = await intake.store(environment, accepted);
    const duplicates = outcomes.filter(({ duplicate }) => duplicate).length;
    const saved_events = accepted.length - duplicates;
    return c.json({ saved_events, rejected: rejections.length, duplicates, rejections }, 201);
  });

  on(app, list, async (c) => {
    const { limit, cursor, ...filter } = check(ListQuery, c.req.query());
    const page = await events.list(c.get("environment"), filter, { limit, cursor });
    if (page.next_cursor !== null) {
      c.header("X-Next-Cursor", page.next_cursor);
      c.header("Link", `<${nextPage(c, page.next_cursor)}>; rel="next"`);
    }
    return c.json(page.events);
  });
}

function nextPage(c: RouteContext, cursor: string): string {
  const query = new URLSearchParams(c.req.query());
  query.set("cursor", cursor);
  return `/events?${query}`;
}
