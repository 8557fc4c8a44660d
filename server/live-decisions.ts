import { randomBytes } from "node:crypto";
import { clearInterval, setInterval } from "node:timers";
import type { Decision } from "../core/decision/decision.ts";

export interface LiveFilter {
  readonly environment: string;
  readonly feature_key?: string | undefined;
  readonly user_id?: string | undefined;
  readonly variant?: string | undefined;
  readonly decision_source?: string | undefined;
  /** True: only decisions that fell back. */
  readonly fallbacks?: boolean | undefined;
}

/** The decisions of this process as they are made, for people who watch. Costs the hot path one question while nobody does. */
export interface LiveDecisions {
  /** False: nobody watches, and nothing needs to be told. */
  readonly watched: boolean;
  tell(decision: Decision, about: { environment: string; id: string; at: number }): void;
  /** Server-sent events. `since`: the id last heard, to go on from there. undefined when there are too many already. */
  open(filter: LiveFilter, since: string | undefined): ReadableStream<Uint8Array> | undefined;
  /** Ends all streams. */
  close(): void;
}

interface Told {
  readonly sequence: number;
  readonly environment: string;
  readonly id: string;
  readonly at: number;
  readonly decision: Decision;
}

interface Watcher {
  readonly filter: LiveFilter;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Matched since the last beat, the newest `MOST` of them. */
  pending: Told[];
  matched: number;
  sent: number;
  /** Matched, but more than a beat shows. */
  sampled: number;
  /** Left out because the client does not read fast enough. */
  dropped: number;
  beats: number;
}

/** Milliseconds between two beats, and decisions a watcher is shown in each: 80 a second are more than anybody reads. */
const BEAT = 250;
const MOST = 20;
/** Beats between two counts. */
const COUNTS = 4;
/** Decisions kept for those who come again, while somebody watches or did a minute ago. */
const KEPT = 1_000;
const LINGER = 60_000 / BEAT;
const BACKLOG = 32;
/** Milliseconds after which a client that lost its stream comes again. */
const RETRY = 1_000;

export function createLiveDecisions({ limit = 50 }: { readonly limit?: number } = {}): LiveDecisions {
  const epoch = randomBytes(4).toString("hex");
  const watchers = new Set<Watcher>();
  let kept: Told[] = [];
  let sequence = 0;
  let idle = 0;
  let timer: NodeJS.Timeout | undefined;

  const live = {
    watched: false,

    tell(decision: Decision, { environment, id, at }: { environment: string; id: string; at: number }) {
      sequence += 1;
      const told = { sequence, environment, id, at, decision };
      kept.push(told);
      if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
      for (const watcher of watchers) if (matches(watcher.filter, told)) show(watcher, told);
    },

    open(filter: LiveFilter, since: string | undefined) {
      if (watchers.size >= limit) return undefined;
      let watcher: Watcher;
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const counts = { matched: 0, sent: 0, sampled: 0, dropped: 0, beats: 0 };
            watcher = { filter, controller, pending: [], ...counts };
            watchers.add(watcher);
            write(watcher, `retry: ${RETRY}\n\n`);
            for (const told of missed(filter, since)) show(watcher, told);
            status(watcher);
            live.watched = true;
            timer ??= setInterval(beat, BEAT).unref();
          },
          cancel: () => void watchers.delete(watcher),
        },
        new CountQueuingStrategy({ highWaterMark: BACKLOG }),
      );
    },

    close() {
      clearInterval(timer);
      for (const { controller } of watchers) controller.close();
      watchers.clear();
      live.watched = false;
    },
  };

  function missed(filter: LiveFilter, since: string | undefined): readonly Told[] {
    const [own, number] = since?.split("-") ?? [];
    if (own !== epoch || number === undefined) return [];
    return kept.filter((told) => told.sequence > Number(number) && matches(filter, told));
  }

  function beat(): void {
    for (const watcher of watchers) {
      flush(watcher);
      watcher.beats += 1;
      if (watcher.beats % COUNTS === 0) status(watcher);
    }
    idle = watchers.size > 0 ? 0 : idle + 1;
    if (idle <= LINGER) return;
    clearInterval(timer);
    timer = undefined;
    idle = 0;
    kept = [];
    live.watched = false;
  }

  function flush(watcher: Watcher): void {
    const { pending } = watcher;
    if (pending.length === 0) return;
    watcher.pending = [];
    if (write(watcher, pending.map((told) => eventOf(epoch, told)).join(""))) watcher.sent += pending.length;
    else watcher.dropped += pending.length;
  }

  return live;
}

function show(watcher: Watcher, told: Told): void {
  watcher.matched += 1;
  watcher.pending.push(told);
  if (watcher.pending.length <= MOST) return;
  watcher.pending.shift();
  watcher.sampled += 1;
}

function matches({ environment, feature_key, user_id, variant, decision_source, fallbacks }: LiveFilter, told: Told) {
  const { decision } = told;
  return (
    told.environment === environment &&
    (feature_key === undefined || decision.feature_key === feature_key) &&
    (user_id === undefined || decision.user_id === user_id) &&
    (variant === undefined || decision.variant === variant) &&
    (decision_source === undefined || decision.decision_source === decision_source) &&
    (fallbacks !== true || decision.fallback !== null)
  );
}

/** False when the client is too far behind. */
function write({ controller }: Watcher, text: string): boolean {
  if ((controller.desiredSize ?? 0) <= 0) return false;
  controller.enqueue(ENCODER.encode(text));
  return true;
}

const ENCODER = new TextEncoder();

function eventOf(epoch: string, { sequence, id, at, decision }: Told): string {
  const { feature_key, user_id, variant, enabled, decision_source, reason, step } = decision;
  const { score, threshold, model_version, fallback, feature_version } = decision;
  const data = {
    ...{ decision_id: id, at: new Date(at).toISOString(), feature_key, feature_version, user_id, variant, enabled },
    ...{ decision_source, reason, step, score, threshold, model_version, fallback },
  };
  return `id: ${epoch}-${sequence}\nevent: decision\ndata: ${JSON.stringify(data)}\n\n`;
}

function status(watcher: Watcher): void {
  const { matched, sent, sampled, dropped } = watcher;
  write(watcher, `event: status\ndata: ${JSON.stringify({ matched, sent, sampled, dropped })}\n\n`);
}
