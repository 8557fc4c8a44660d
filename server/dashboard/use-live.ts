import { useEffect, useRef, useState } from "preact/hooks";
import { environment } from "./session.ts";
import { shareStream } from "./share-stream.ts";
import type { StoredDecisions, StoredEvent } from "./wire.ts";

export type Decided = Omit<
  StoredDecisions["decisions"][number],
  "attributes" | "variant" | "feature_version" | "user_id"
> & {
  readonly variant: string | null;
  readonly user_id: string | null;
};
export type Happened = Pick<StoredEvent, "id" | "user_id" | "feature_key" | "event_type" | "timestamp">;
/** `id` is the stream's. */
type Row =
  | { readonly id: string; readonly decision: Decided; readonly event?: undefined }
  | { readonly id: string; readonly event: Happened; readonly decision?: undefined };

/** Since one came. */
export interface Counts {
  readonly matched: number;
  readonly events: number;
  readonly fallbacks: number;
  readonly sampled: number;
  readonly dropped: number;
}

/** The newest are kept. */
export const KEPT = 200;
/** Milliseconds between two drawings, however fast they come. */
const FRAME = 250;
const NONE: Counts = { matched: 0, events: 0, fallbacks: 0, sampled: 0, dropped: 0 };

/** What the server tells on its stream of decisions, newest first. While paused, what comes waits. */
export function useLive(
  path: string,
  paused: boolean,
): { rows: readonly Row[]; counts: Counts; waiting: number; open: boolean } {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [counts, setCounts] = useState<Counts>();
  const [waiting, setWaiting] = useState(0);
  const held = useRef(paused);
  held.current = paused;

  useEffect(() => {
    const controller = new AbortController();
    let fresh: Row[] = [];
    // What the server counted last; undefined: it counted for another page before this one began to listen.
    let last: Counts | undefined;
    // Told since then: when the connection is lost, no count will have them.
    let uncounted = NONE;
    setRows([]);
    setCounts(undefined);
    shareStream(
      path,
      ({ event, data, id = "" }) => {
        if (event === "open") {
          const lost = uncounted;
          [last, uncounted] = [NONE, NONE];
          setCounts((sum) => sum && added(sum, lost, NONE));
        } else if (event === "status") {
          const now = JSON.parse(data) as Counts;
          const before = last ?? now;
          [last, uncounted] = [now, NONE];
          setCounts((sum) => added(sum ?? NONE, now, before));
        } else {
          const row: Row = event === "event" ? { id, event: JSON.parse(data) } : { id, decision: JSON.parse(data) };
          const { matched, events, fallbacks } = uncounted;
          uncounted = {
            ...uncounted,
            matched: matched + 1,
            events: events + Number(row.event !== undefined),
            fallbacks: fallbacks + Number((row.decision?.fallback ?? null) !== null),
          };
          fresh.push(row);
          if (fresh.length > 2 * KEPT) fresh = fresh.slice(-KEPT);
        }
      },
      controller.signal,
    );
    const timer = setInterval(() => {
      if (held.current) return setWaiting(Math.min(fresh.length, KEPT));
      if (fresh.length === 0) return;
      const news = fresh.slice(-KEPT).reverse();
      fresh = [];
      setWaiting(0);
      setRows((before) => [...news, ...before].slice(0, KEPT));
    }, FRAME);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [path, environment.value]);

  return { rows, counts: counts ?? NONE, waiting, open: counts !== undefined };
}

function added(sum: Counts, now: Counts, before: Counts): Counts {
  const of = (name: keyof Counts) => sum[name] + now[name] - before[name];
  return {
    ...{ matched: of("matched"), events: of("events"), fallbacks: of("fallbacks") },
    ...{ sampled: of("sampled"), dropped: of("dropped") },
  };
}
