import type { Json } from "../../json.ts";
import { describe, type Operator, type Present } from "./operator.ts";

/** Moments: ISO 8601 text with a zone (`2026-11-30T12:00:00Z`) or milliseconds since the epoch, on both sides. */
export const date = {
  before: {
    summary: "Is a moment before this",
    value: "an ISO 8601 time with zone, or milliseconds since the epoch",
    takes: "time",
    compile(value) {
      const bound = momentValue(value);
      return (attribute) => parseMoment(attribute) < bound;
    },
  },
  after: {
    summary: "Is a moment after this",
    value: "an ISO 8601 time with zone, or milliseconds since the epoch",
    takes: "time",
    compile(value) {
      const bound = momentValue(value);
      return (attribute) => parseMoment(attribute) > bound;
    },
  },
} as const satisfies Record<string, Operator>;

const ISO_WITH_ZONE =
  /^(\d{4})-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** NaN, which compares false both ways, when it is not a moment. */
function parseMoment(attribute: Present): number {
  if (typeof attribute === "number") return Number.isFinite(attribute) ? attribute : Number.NaN;
  if (typeof attribute !== "string" || attribute.length > 40) return Number.NaN;
  const parts = ISO_WITH_ZONE.exec(attribute);
  if (parts === null || Number(parts[3]) > daysInMonth(Number(parts[1]), Number(parts[2]))) return Number.NaN;
  return Date.parse(attribute);
}

/** Date.parse rolls 30 February over into March; here it is not a date. */
function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function momentValue(value: Json | undefined): number {
  const moment = value === undefined || value === null ? Number.NaN : parseMoment(value);
  if (Number.isNaN(moment))
    throw new TypeError(
      `must be an ISO 8601 time with a zone such as "2026-11-30T12:00:00Z", or milliseconds since the epoch, found ${describe(value)}`,
    );
  return moment;
}
