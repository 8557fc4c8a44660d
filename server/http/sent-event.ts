import { EventInput } from "../../core/event/event.ts";

const { event_id, properties, source } = EventInput.shape;

/** An event as it may be sent, for the document: null stands for what is left out. */
export const SentEvent = EventInput.extend({
  event_id: event_id.nullable(),
  properties: properties.nullable(),
  source: source.nullable(),
}).meta({ id: "Event" });
