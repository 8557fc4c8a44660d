import { createHash } from "node:crypto";
import type { Draft } from "./adapter.ts";

/**
 * The event id of an imported row: what it says and on which line. Importing the same file again finds every event
 * stored already; two rows of one file that say the same stay two events.
 */
export function rowEventId(event: Draft, line: number): string {
  const { source, user_id, feature_key, event_type, timestamp, properties } = event;
  const content = JSON.stringify([line, source ?? "", user_id, feature_key, event_type, timestamp, properties]);
  return createHash("sha256").update(content).digest("base64url").slice(0, 22);
}
