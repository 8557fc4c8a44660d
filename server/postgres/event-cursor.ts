/** The last event of a page; the next page begins after it. Later inserts do not shift it. */
export interface EventPosition {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: number;
}

/** Opaque to clients, safe in a URL. */
export function eventCursor({ at, id }: EventPosition): string {
  return btoa(`${at}.${id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** null: not a cursor of ours. */
export function parseEventCursor(cursor: string): EventPosition | null {
  if (!/^[\w-]{1,64}$/.test(cursor)) return null;
  const match = /^(-?\d{1,15})\.(\d{1,16})$/.exec(decode(cursor));
  return match === null ? null : { at: Number(match[1]), id: Number(match[2]) };
}

function decode(cursor: string): string {
  try {
    return atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
