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
  /** Whether events are told too, or alone. What is asked of decisions (variant, source, fallbacks) leaves events out. Default: no. */
  readonly events?: "true" | "only" | undefined;
}

/** An event that was just stored. */
export interface LiveEvent {
  readonly id: number;
  readonly user_id: string;
  readonly feature_key: string;
  readonly event_type: string;
  /** ISO: when it happened. */
  readonly timestamp: string;
}

/**
 * The decisions of this process as they are made, and the events it stores, for people who watch. Costs the hot path one
 * question while nobody does.
 */
export interface LiveDecisions {
  /** False: nobody watches, and nothing needs to be told. */
  readonly watched: boolean;
  tell(decision: Decision, about: { environment: string; id: string; at: number }): void;
  tellEvent(environment: string, event: LiveEvent): void;
  /** Server-sent events. `since`: the id last heard, to go on from there. undefined when there are too many already. */
  open(filter: LiveFilter, since: string | undefined): ReadableStream<Uint8Array> | undefined;
  /** Ends all streams. */
  close(): void;
}

type What =
  | { readonly id: string; readonly at: number; readonly decision: Decision; readonly event?: undefined }
  | { readonly event: LiveEvent; readonly decision?: undefined };
type Told = What & { readonly sequence: number; readonly environment: string };

interface Watcher {
  readonly filter: LiveFilter;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Matched since the last beat, the newest `MOST` of them. */
  pending: Told[];
  matched: number;
  /** Of these, events and decisions that fell back. */
  events: number;
  fallbacks: number;
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
      pass({ sequence, environment, id, at, decision });
    },

    tellEvent(environment: string, event: LiveEvent) {
      sequence += 1;
      pass({ sequence, environment, event });
    },

    open(filter: LiveFilter, since: string | undefined) {
      if (watchers.size >= limit) return undefined;
      let watcher: Watcher;
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const counts = { matched: 0, events: 0, fallbacks: 0, sent: 0, sampled: 0, dropped: 0, beats: 0 };
            watcher = { filter, controller, pending: [], ...counts };
            watchers.add(watcher);
            write(watcher, `retry: ${RETRY}\n\n`);
            // All of them, however many: who comes again wants to know what was there meanwhile.
            for (const told of missed(filter, since)) {
              match(watcher, told);
              watcher.pending.push(told);
            }
            flush(watcher);
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

  function pass(told: Told): void {
    kept.push(told);
    if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
    for (const watcher of watchers) if (matches(watcher.filter, told)) show(watcher, told);
  }

  function missed(filter: LiveFilter, since: string | undefined): readonly Told[] {
    const [own, number] = since?.split("-") ?? [];
    if (own !== epoch || number === undefined) return [];
    return kept.slice(-KEPT).filter((told) => told.sequence > Number(number) && matches(filter, told));
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

function match(watcher: Watcher, told: Told): void {
  watcher.matched += 1;
  if (told.event !== undefined) watcher.events += 1;
  else if (told.decision.fallback !== null) watcher.fallbacks += 1;
}

function show(watcher: Watcher, told: Told): void {
  match(watcher, told);
  watcher.pending.push(told);
  if (watcher.pending.length <= MOST) return;
  watcher.pending.shift();
  watcher.sampled += 1;
}

function matches(filter: LiveFilter, told: Told): boolean {
  const { environment, feature_key, user_id, variant, decision_source, fallbacks, events } = filter;
  const { decision, event } = told;
  const { feature_key: feature, user_id: user } = event ?? decision;
  if (told.environment !== environment) return false;
  if (feature_key !== undefined && feature !== feature_key) return false;
  if (user_id !== undefined && user !== user_id) return false;
  if (decision === undefined)
    return events !== undefined && variant === undefined && decision_source === undefined && fallbacks !== true;
  return (
    events !== "only" &&
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

function eventOf(epoch: string, told: Told): string {
  const [name, data] =
    told.event === undefined ? ["decision", decisionData(told.decision, told)] : ["event", told.event];
  return `id: ${epoch}-${told.sequence}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function decisionData(decision: Decision, { id, at }: { id: string; at: number }) {
  const { feature_key, user_id, variant, enabled, decision_source, reason, step } = decision;
  const { score, threshold, model_version, fallback, feature_version } = decision;
  return {
    ...{ decision_id: id, at: new Date(at).toISOString(), feature_key, feature_version, user_id, variant, enabled },
    ...{ decision_source, reason, step, score, threshold, model_version, fallback },
  };
}

function status(watcher: Watcher): void {
  const { matched, events, fallbacks, sent, sampled, dropped } = watcher;
  write(watcher, `event: status\ndata: ${JSON.stringify({ matched, events, fallbacks, sent, sampled, dropped })}\n\n`);
}
