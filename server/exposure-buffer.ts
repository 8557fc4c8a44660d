import { getLogger } from "@logtape/logtape";
import type { Decision } from "../core/decision/decision.ts";
import type { Exposure } from "../core/decision/exposure.ts";
import { distributionOf } from "../core/engine/distribution.ts";
import type { Snapshot } from "../core/engine/snapshot.ts";
import type { Profile } from "../core/event/profile.ts";
import { featureRow } from "../core/model/feature-row.ts";
import type { ExposureStore } from "../core/ports.ts";
import type { User } from "../core/strategy.ts";
import type { Metrics } from "./services.ts";

/** An exposure as the hot path leaves it: nothing computed yet. */
export interface Exposed {
  readonly environment: string;
  readonly decision_id: string;
  readonly at: number;
  readonly decision: Decision;
  readonly user_id: string;
  /** What the feature row and the propensities are made of; undefined when the feature does not learn. */
  readonly learn:
    | { readonly user: User; readonly profile: Profile | undefined; readonly snapshot: Snapshot }
    | undefined;
}

export interface ExposureBuffer {
  /** True: `push` would exceed the bound. */
  readonly full: boolean;
  readonly waiting: number;
  readonly dropped: number;
  push(exposed: Exposed): void;
  /** Counts one that was not pushed because the buffer was full. */
  drop(): void;
  /** Writes now. Resolves when what was waiting has been written, or when a write has failed. */
  flush(): Promise<void>;
  /** Flushes for at most `closeWithinMs`; what is left then is dropped, counted and logged. */
  close(): Promise<void>;
}

export interface ExposureBufferOptions {
  readonly exposures: ExposureStore;
  readonly metrics: Pick<Metrics, "counter" | "gauge">;
  /** Exposures kept while they cannot be written. Default 50,000. */
  readonly capacity?: number;
  /** Default 250. */
  readonly flushAfterMs?: number;
  /** At so many waiting a write starts at once; also the largest batch. Default 2,000. */
  readonly batchSize?: number;
  /** The longest pause between attempts while the database is gone; the first is `flushAfterMs`. Default 5,000. */
  readonly longestPauseMs?: number;
  /** Default 5,000. */
  readonly closeWithinMs?: number;
}

const log = getLogger(["adaptive", "exposures"]);

/** Collects exposures and writes them in batches, one in flight, in order; keeps them while the database is gone. */
export function createExposureBuffer({
  exposures,
  metrics,
  capacity = 50_000,
  flushAfterMs = 250,
  batchSize = 2_000,
  longestPauseMs = 5_000,
  closeWithinMs = 5_000,
}: ExposureBufferOptions): ExposureBuffer {
  // Raw ones become rows within `flushAfterMs`, written or not, so that users' attributes are not kept while the
  // database is gone: rows are small, attributes need not be.
  let raw: Exposed[] = [];
  const ready: Exposure[] = [];
  let inFlight: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let soon = false;
  let failures = 0;
  let droppedInAll = 0;
  let closed = false;
  const written = metrics.counter("exposures_written_total");
  const dropped = {
    full: metrics.counter("exposures_dropped_total", { reason: "full" }),
    invalid: metrics.counter("exposures_dropped_total", { reason: "invalid" }),
    closed: metrics.counter("exposures_dropped_total", { reason: "closed" }),
  };
  const waiting = () => raw.length + ready.length;
  const drop = (count: number, reason: keyof typeof dropped) => {
    droppedInAll += count;
    dropped[reason].add(count);
  };

  const prepare = () => {
    const exposed = raw;
    raw = [];
    for (const one of exposed) ready.push(toExposure(one));
  };

  /** Writes until nothing is left or a write fails; never rejects. */
  const write = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    prepare();
    inFlight ??= writeAll().finally(() => {
      inFlight = undefined;
      if (waiting() > 0 && !closed) schedule();
    });
    return inFlight;
  };
  const writeAll = async () => {
    while (ready.length > 0) {
      const batch = ready.slice(0, batchSize);
      try {
        written.add(await append(batch));
      } catch (error) {
        failures += 1;
        if (failures === 1)
          log.warning("Exposures cannot be written, up to {capacity} are kept: {error}", { capacity, error });
        return;
      }
      ready.splice(0, batch.length);
      if (failures > 0) log.info("Exposures are written again after {failures} failed attempts", { failures });
      failures = 0;
      prepare();
    }
  };
  /** Resolves to how many of the batch are stored; those the database refuses for what they contain are dropped. */
  const append = async (batch: readonly Exposure[]): Promise<number> => {
    try {
      await exposures.append(batch);
      return batch.length;
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (batch.length > 1) {
        const middle = batch.length >> 1;
        return (await append(batch.slice(0, middle))) + (await append(batch.slice(middle)));
      }
      drop(1, "invalid");
      log.warning("The database refuses an exposure of feature {feature_key}: {error}", {
        feature_key: batch[0]?.decision.feature_key,
        error,
      });
      return 0;
    }
  };

  const schedule = () => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        if (inFlight === undefined) write();
      },
      Math.min(flushAfterMs * 2 ** Math.min(failures, 10), Math.max(longestPauseMs, flushAfterMs)),
    );
  };
  const flush = async () => {
    // What is in flight may not hold what came in since; after it, one attempt does.
    if (inFlight !== undefined) await inFlight;
    if (waiting() > 0) await write();
  };

  return {
    get full() {
      return waiting() >= capacity;
    },
    get waiting() {
      return waiting();
    },
    get dropped() {
      return droppedInAll;
    },
    drop: () => drop(1, "full"),
    push: (exposed) => {
      raw.push(exposed);
      if (raw.length < batchSize) {
        if (timer === undefined && inFlight === undefined) schedule();
      } else if (!soon) {
        // Not within the request that filled the batch.
        soon = true;
        setTimeout(() => {
          soon = false;
          if (failures === 0 && inFlight === undefined) write();
          else prepare();
        });
      }
    },
    flush,
    close: async () => {
      closed = true;
      let deadline: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, closeWithinMs);
      });
      await Promise.race([flush(), late]);
      clearTimeout(deadline);
      clearTimeout(timer);
      const left = waiting();
      if (left === 0) return;
      raw = [];
      ready.length = 0;
      drop(left, "closed");
      log.error("{left} exposures are lost: they could not be written before the process ended", { left });
    },
  };
}

function toExposure({ environment, decision_id, at, decision, user_id, learn }: Exposed): Exposure {
  const exposure = { environment, decision_id, at, decision, unit: user_id };
  if (learn === undefined) return { ...exposure, features: null, probabilities: null };
  const { user, profile, snapshot } = learn;
  return {
    ...exposure,
    features: featureRow(user, profile, at),
    probabilities: distributionOf(snapshot, decision.feature_key, user, { now: at, profile }),
  };
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint): repeating the same rows would fail for ever. */
function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^2[23][0-9A-Z]{3}$/.test(code);
}
