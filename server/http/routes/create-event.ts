import { createRoute, z } from "@hono/zod-openapi";
import type { NewEvent } from "../../../core/ports.ts";
import type { Access, AccessControl } from "../access.ts";
import { HttpError } from "../errors.ts";
import { type EventIntake, isRejection } from "../event-intake.ts";
import { event, storedEvent } from "../examples/event.ts";
import type { AnswerHeaders } from "../headers.ts";
import { hotPost } from "../hot-route.ts";
import { type App, headerOf, json, type RouteContext } from "../route.ts";
import { SentEvent } from "../sent-event.ts";
import { StoredEvent } from "../stored-event.ts";

const CreatedEvent = StoredEvent.extend({
  duplicate: z.boolean().describe("True: an event with this event_id and timestamp was stored before, under this id"),
}).meta({ id: "CreatedEvent" });

export const route = createRoute({
  method: "post",
  path: "/events",
  operationId: "createEvent",
  tags: ["events"],
  summary: "Store one event",
  description: "Answers after the event is durably stored. With an `event_id`, sending it again changes nothing.",
  request: { body: { ...json(SentEvent, "What a user did", event), required: true } },
  responses: {
    201: json(CreatedEvent, "Stored", { ...storedEvent, duplicate: false }),
    200: json(CreatedEvent, "Stored before: the id is the first one's", { ...storedEvent, duplicate: true }),
  },
});

/** `POST /events`, one of the few routes without middleware: clients may send each event by itself. */
export function createEventRoute(
  hot: App,
  document: App,
  intake: EventIntake,
  { access, headers }: { access: AccessControl; headers: AnswerHeaders },
): void {
  document.openAPIRegistry.registerPath(route);

  hotPost(hot, "/events", access, create);

  async function create(c: RouteContext, body: unknown, { environment }: Access): Promise<Response> {
    const event = intake.accept(environment, body);
    if (isRejection(event)) {
      const { code, message, field } = event;
      const more = field === undefined ? {} : { field, errors: [{ field, message }] };
      throw new HttpError(422, code, `${field ?? "body"} ${message}`, more);
    }
    const [stored] = await intake.store(environment, [event]);
    return answer(c, event, stored as { id: number; duplicate: boolean });
  }

  function answer(c: RouteContext, event: NewEvent, { id, duplicate }: { id: number; duplicate: boolean }): Response {
    const { event_id = null, user_id, feature_key, event_type, timestamp, properties, source = null } = event;
    const { ab_variant = null } = event;
    const stored = { id, event_id, user_id, feature_key, event_type, timestamp, properties, source, ab_variant };
    return new Response(JSON.stringify({ ...stored, duplicate }), {
      status: duplicate ? 200 : 201,
      headers: headers.json(headerOf(c, "origin")),
    });
  }
}
