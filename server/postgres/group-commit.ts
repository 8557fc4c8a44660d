import { setImmediate } from "node:timers";
import postgres from "postgres";
import { type NewEvent, Overloaded } from "../../core/ports.ts";
import type { Metrics } from "../services.ts";
import { type EventRow, type StoredEvent, storeBatch } from "./event-batch.ts";
import { idReserve } from "./id-reserve.ts";
import { partitionKeeper } from "./partitions.ts";
import type { Sql } from "./sql.ts";

export interface GroupCommitOptions {
  /** Events that may wait at once. Default 50,000. */
  readonly maxWaiting?: number;
  /** Characters of properties that may wait at once. Default 64 Mi. */
  readonly maxWaitingSize?: number;
  /** Shown how many wait, as `events_waiting`. Default: nobody. */
  readonly metrics?: Pick<Metrics, "gauge">;
}

export type Append = (environment: string, events: readonly NewEvent[]) => Promise<readonly StoredEvent[]>;

/** One transaction takes at most this many events, and this many characters of properties; one caller is never split. */
const BATCH_EVENTS = 5_000;
const BATCH_SIZE = 8 * 1024 * 1024;

/** One transaction runs while the next one gathers; a third starts only when a full batch waits. */
const EAGER = 2;
const IN_FLIGHT = 3;

interface Caller {
  readonly rows: readonly EventRow[];
  readonly size: number;
  readonly resolve: (stored: readonly StoredEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: whoever appends while a transaction runs waits in a bounded queue and shares the next one, so the cost of
 * a commit is divided by the load. A promise resolves only after its commit. When a batch fails because of its rows,
 * every caller is tried alone, so that one bad caller fails alone; when the connection is lost, all waiting callers of
 * the batch are told (nothing was acknowledged).
 */
export function groupCommit(
  sql: Sql,
  { maxWaiting = 50_000, maxWaitingSize = 64 * 1024 * 1024, metrics }: GroupCommitOptions = {},
): Append {
  const partitions = partitionKeeper(sql, "events");
  const reserve = idReserve(sql, "event_id_seq");
  let queue: Caller[] = [];
  let waiting = 0;
  let waitingSize = 0;
  let inFlight = 0;
  let scheduled = false;
  metrics?.gauge("events_waiting", () => waiting);

  /** After this turn of the event loop: requests that arrived together are stored together. */
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (queue.length > 0 && (inFlight < EAGER || (inFlight < IN_FLIGHT && waiting >= BATCH_EVENTS))) {
        const callers = take();
        inFlight++;
        void flush(callers).then(() => {
          inFlight--;
          schedule();
        });
      }
    });
  }

  function take(): readonly Caller[] {
    let events = 0;
    let size = 0;
    let count = 0;
    for (const caller of queue) {
      if (count > 0 && (events + caller.rows.length > BATCH_EVENTS || size + caller.size > BATCH_SIZE)) break;
      events += caller.rows.length;
      size += caller.size;
      count++;
    }
    const callers = queue.slice(0, count);
    queue = queue.slice(count);
    waiting -= events;
    waitingSize -= size;
    return callers;
  }

  async function flush(callers: readonly Caller[]): Promise<void> {
    try {
      const stored = await store(callers.flatMap(({ rows }) => rows));
      let from = 0;
      for (const { rows, resolve } of callers) {
        resolve(stored.slice(from, from + rows.length));
        from += rows.length;
      }
    } catch (error) {
      if (callers.length > 1 && isAboutRows(error)) for (const caller of callers) await flush([caller]);
      else for (const { reject } of callers) reject(error);
    }
  }

  async function store(rows: readonly EventRow[]): Promise<readonly StoredEvent[]> {
    await partitions.cover(rows.map(({ at }) => at));
    const ids = await reserve(rows.length);
    for (let attempt = 1; ; attempt++) {
      try {
        return await storeBatch(sql, rows, ids);
      } catch (error) {
        // Sorted rows do not deadlock with each other; other writers of these tables might not sort.
        if (attempt === 3 || !isRetryable(error)) throw error;
      }
    }
  }

  return (environment, events) =>
    new Promise((resolve, reject) => {
      const rows = events.map((event) => row(environment, event));
      const size = rows.reduce((sum, { properties }) => sum + properties.length, 0);
      if (waiting > 0 && (waiting + rows.length > maxWaiting || waitingSize + size > maxWaitingSize)) {
        reject(new Overloaded(`${waiting} events wait to be stored already: send these again in a moment`));
        return;
      }
      queue.push({ rows, size, resolve, reject });
      waiting += rows.length;
      waitingSize += size;
      schedule();
    });
}

function row(environment: string, event: NewEvent): EventRow {
  const at = Date.parse(event.timestamp);
  // As check-event.ts writes it; other callers may have zones or microseconds.
  const timestamp = /^\d{4}-.{18}Z$/.test(event.timestamp) ? event.timestamp : new Date(at).toISOString();
  return { environment, event, at, timestamp, properties: JSON.stringify(event.properties) };
}

/** PostgreSQL refused a value or a constraint: another caller's rows may be fine. */
function isAboutRows(error: unknown): boolean {
  return error instanceof postgres.PostgresError && /^(22|23|54|21)/.test(error.code);
}

/** Serialization failure, deadlock. */
function isRetryable(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === "40001" || error.code === "40P01");
}
