import { createRoute, z } from "@hono/zod-openapi";
import { experimentArm } from "../../../core/engine/experiment-arm.ts";
import { checkEvent, type Rejection } from "../../../core/event/check-event.ts";
import { EventInput, PropertyValue } from "../../../core/event/event.ts";
import type { NewEvent } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
import { type App, failures, json, on, type RouteContext } from "../route.ts";

/** Events one call of /ingest/events may carry, and the bytes they may take. */
export const INGEST_EVENTS = 5_000;
export const INGEST_LIMIT = 8 * 1024 * 1024;

const StoredEvent = z
  .object({
    id: z.int(),
    duplicate: z.boolean().describe("True: an event with this event_id and timestamp was stored before, under this id"),
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

const IngestRequest = z
  .strictObject({
    source: z.string().trim().min(1).max(100).describe("Kept with every event that names none itself"),
    events: z.array(EventInput).min(1).max(INGEST_EVENTS),
  })
  .meta({ id: "IngestRequest" });

/** The same without the events themselves: each is checked on its own, and a bad one is rejected alone. */
const IngestEnvelope = IngestRequest.extend({ events: z.array(z.unknown()).min(1).max(INGEST_EVENTS) });

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

const createEvent = createRoute({
  method: "post",
  path: "/events",
  tags: ["events"],
  summary: "Store one event",
  description: "Answers after the event is durably stored. With an `event_id`, sending it again changes nothing.",
  request: { body: { ...json(EventInput, "What a user did"), required: true } },
  responses: {
    201: json(StoredEvent, "Stored"),
    200: json(StoredEvent, "Stored before: the id is the first one's"),
    ...failures(400, 413, 503),
  },
});

const ingest = createRoute({
  method: "post",
  path: "/ingest/events",
  tags: ["events"],
  summary: "Store many events",
  description: "Answers after the commit. An event that is not valid is rejected alone, by its index.",
  request: { body: { ...json(IngestRequest, "1 to 5000 events, at most 8 MB"), required: true } },
  responses: { 201: json(IngestAnswer, "What was stored and what was not"), ...failures(400, 413, 503) },
});

const list = createRoute({
  method: "get",
  path: "/events",
  tags: ["events"],
  summary: "Events, newest first",
  description: "The next page's cursor is in `X-Next-Cursor` (and its address in `Link`); the last page has neither.",
  request: { query: ListQuery },
  responses: { 200: json(z.array(StoredEvent.omit({ duplicate: true })), "One page"), ...failures() },
});

/** `POST /events`, `POST /ingest/events`, `GET /events`. */
export function eventRoutes(app: App, services: Pick<Services, "clock" | "snapshots" | "events" | "metrics">): void {
  const { clock, snapshots, events, metrics } = services;

  async function store(environment: string, accepted: readonly NewEvent[]) {
    const stored = await events.append(environment, accepted);
    const duplicates = stored.reduce((sum, { duplicate }) => sum + Number(duplicate), 0);
    metrics.count("events_stored_total", {}, stored.length - duplicates);
    if (duplicates > 0) metrics.count("events_duplicates_total", {}, duplicates);
    return { stored, duplicates };
  }

  function accept(environment: string, input: unknown, source: string | undefined): NewEvent | Rejection {
    const checked = checkEvent(input, clock.now());
    if ("rejection" in checked) return checked.rejection;
    const { event } = checked;
    const ab_variant = experimentArm(snapshots.get(environment), event.feature_key, event.user_id);
    return source === undefined || event.source !== undefined
      ? { ...event, ab_variant }
      : { ...event, source, ab_variant };
  }

  on(app, createEvent, async (c) => {
    const environment = c.get("environment");
    const event = accept(environment, await readJson(c), undefined);
    if (isRejection(event)) {
      metrics.count("events_rejected_total", { reason: event.code });
      throw refusal(event);
    }
    const { stored } = await store(environment, [event]);
    const { id, duplicate } = stored[0] as { id: number; duplicate: boolean };
    return c.json({ id, duplicate, event_id: null, source: null, ...event }, duplicate ? 200 : 201);
  });

  on(app, ingest, async (c) => {
    const environment = c.get("environment");
    const envelope = check(IngestEnvelope, await readJson(c, { limit: INGEST_LIMIT }));
    const accepted: NewEvent[] = [];
    const rejections: (Rejection & { index: number })[] = [];
    for (const [index, input] of envelope.events.entries()) {
      const event = accept(environment, input, envelope.source);
      if (isRejection(event)) rejections.push({ index, ...event });
      else accepted.push(event);
    }
    for (const { code } of rejections) metrics.count("events_rejected_total", { reason: code });
    const { duplicates } = await store(environment, accepted);
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

function isRejection(outcome: NewEvent | Rejection): outcome is Rejection {
  return "code" in outcome;
}

function refusal({ code, message, field }: Rejection): HttpError {
  const named = `${field ?? "body"} ${message}`;
  return new HttpError(422, code, named, field === undefined ? {} : { field, errors: [{ field, message }] });
}

function nextPage(c: RouteContext, cursor: string): string {
  const query = new URLSearchParams(c.req.query());
  query.set("cursor", cursor);
  return `/events?${query}`;
}
