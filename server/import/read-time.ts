import { parseTimestamp } from "../../core/event/parse-timestamp.ts";

/**
 * Milliseconds since the epoch of a time as files write it: epoch seconds or milliseconds (told apart by size), ISO 8601
 * with a zone, or, when `utc`, also a bare date or a local time, which then means UTC. undefined: none of these.
 */
export function readTime(text: string, { utc = false }: { utc?: boolean } = {}): number | undefined {
  if (/^-?\d{1,15}(\.\d+)?$/.test(text)) {
    const number = Number(text);
    // 1e11 s is the year 5138; 1e11 ms is 1973.
    return Math.trunc(Math.abs(number) < 1e11 ? number * 1000 : number);
  }
  const time = parseTimestamp(text);
  if (typeof time === "number") return time;
  if (time !== "zoneless" || !utc) return undefined;
  const local = parseTimestamp(text.length === 10 ? `${text}T00:00:00Z` : `${text}Z`);
  return typeof local === "number" ? local : undefined;
}
