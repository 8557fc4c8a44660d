/** `zoneless`: a local time, which could be any instant. `invalid`: not a time at all. */
export type TimestampFault = "zoneless" | "invalid";

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)?$/;

/**
 * Milliseconds since the epoch of an RFC 3339 time; finer digits are cut off. Refuses what `Date.parse` would guess at:
 * 30 February, times without a zone, dates without a time.
 */
export function parseTimestamp(text: string): number | TimestampFault {
  const match = RFC_3339.exec(text);
  if (match === null) return /^\d{4}-\d\d-\d\d$/.test(text) ? "zoneless" : "invalid";
  const [year, month, day, hour, minute] = [1, 2, 3, 4, 5].map((group) => Number(match[group])) as Numbers;
  const second = Number(match[6] ?? 0);
  // Date.UTC takes the years 0..99 for 1900..1999: no event is that old.
  if (
    year < 100 ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysIn(year, month) ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return "invalid";
  const zone = match[8];
  if (zone === undefined) return "zoneless";
  const offset = offsetMinutes(zone);
  if (offset === undefined) return "invalid";
  const millisecond = Number((match[7] ?? "0").padEnd(3, "0").slice(0, 3));
  return Date.UTC(year, month - 1, day, hour, minute - offset, second, millisecond);
}

type Numbers = [number, number, number, number, number];

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Minutes east of UTC; undefined when there is no such zone. */
function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}
