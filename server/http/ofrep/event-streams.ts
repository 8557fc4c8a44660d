import { clearInterval, clearTimeout, setInterval, setTimeout } from "node:timers";
import type { Clock } from "../../../core/ports.ts";
import type { Snapshots } from "../../services.ts";
import { configurationEtag } from "./etag.ts";

export interface EventStreamsOptions {
  readonly snapshots: Pick<Snapshots, "get" | "onReplaced">;
  readonly clock: Clock;
  /** Streams open at once. Default 5,000: half of the connections listen.ts takes. */
  readonly limit?: number;
  /** Milliseconds between two comments that keep proxies from closing silent streams. Default 25,000. */
  readonly keepAlive?: number;
  /** Milliseconds between two events of an environment: a burst of changes is told as its first and its last. Default 1,000. */
  readonly rest?: number;
}

/** The open streams of this process, by which clients hear that they should fetch again. */
export interface EventStreams {
  /** `since`: the revision the client has seen; a newer one is told at once. undefined when there are too many already. */
  open(environment: string, since: number): ReadableStream<Uint8Array> | undefined;
  readonly count: number;
  /** Ends all streams, now and for good. */
  close(): void;
}

interface Stream {
  readonly environment: string;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The newest revision its client knows of. */
  told: number;
}

/** Chunks that may wait for a client that does not read. Behind further, it is cut off and may come again. */
const BACKLOG = 16;
/** Milliseconds after which a client that lost its stream comes again. */
const RETRY = 2_000;

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { snapshots, clock, limit = 5_000, keepAlive = 25_000, rest = 1_000 } = options;
  const streams = new Set<Stream>();
  const resting = new Map<string, NodeJS.Timeout>();
  let heartbeat: NodeJS.Timeout | undefined;
  let closed = false;

  /** Tells the stream what is served now; false when its client knows. */
  function tell(stream: Stream): boolean {
    const revision = snapshots.get(stream.environment)?.revision ?? 0;
    if (stream.told >= revision) return false;
    stream.told = revision;
    write(stream, eventOf(stream.environment, revision, clock.now()));
    return true;
  }

  function replaced(environment: string): void {
    if (resting.has(environment)) return;
    const told = [...streams].filter((stream) => stream.environment === environment && tell(stream));
    if (told.length === 0) return;
    const timer = setTimeout(() => {
      resting.delete(environment);
      replaced(environment);
    }, rest);
    timer.unref();
    resting.set(environment, timer);
  }

  function write(stream: Stream, text: string): void {
    if ((stream.controller.desiredSize ?? 0) > 0) stream.controller.enqueue(ENCODER.encode(text));
    else end(stream);
  }

  function end(stream: Stream): void {
    forget(stream);
    stream.controller.close();
  }

  function forget(stream: Stream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(heartbeat);
    heartbeat = undefined;
  }

  function remember(stream: Stream): void {
    streams.add(stream);
    heartbeat ??= setInterval(() => {
      for (const each of [...streams]) write(each, ": still here\n\n");
    }, keepAlive).unref();
  }

  const stop = snapshots.onReplaced(replaced);
  return {
    open(environment, since) {
      if (closed || streams.size >= limit) return undefined;
      let stream: Stream;
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            stream = { environment, controller, told: since };
            remember(stream);
            write(stream, `retry: ${RETRY}\n\n`);
            tell(stream);
          },
          cancel: () => forget(stream),
        },
        new CountQueuingStrategy({ highWaterMark: BACKLOG }),
      );
    },
    get count() {
      return streams.size;
    },
    close() {
      closed = true;
      stop();
      for (const timer of resting.values()) clearTimeout(timer);
      for (const stream of [...streams]) end(stream);
    },
  };
}

const ENCODER = new TextEncoder();

/** The id is the revision: a client that comes again says by `Last-Event-ID` what it has heard, to whichever server. */
function eventOf(environment: string, revision: number, now: number): string {
  const etag = configurationEtag(environment, revision);
  const data = { type: "refetchEvaluation", etag, lastModified: Math.floor(now / 1000) };
  return `id: ${revision}\ndata: ${JSON.stringify(data)}\n\n`;
}
