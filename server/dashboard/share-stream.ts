import { readStream, type StreamEvent } from "./read-stream.ts";
import { environment } from "./session.ts";

/**
 * Hears a stream of this environment while the page is seen; ends with the signal. All pages of this browser that hear the
 * same share one connection, of which HTTP/1.1 allows six: one page holds the lock and reads, and tells the others. A page
 * that is not seen gives it up, and goes on later from the id it last heard.
 */
export function shareStream(path: string, hear: (event: StreamEvent) => void, signal: AbortSignal): void {
  const name = `stream ${environment.value} ${path}`;
  let since: string | undefined;
  let seen = new AbortController();

  const told = (event: StreamEvent) => {
    since = event.id ?? since;
    hear(event);
  };

  function start(): void {
    seen = new AbortController();
    const { signal } = seen;
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<StreamEvent>) => told(data);
    signal.addEventListener("abort", () => channel.close());
    const both = (event: StreamEvent) => {
      told(event);
      channel.postMessage(event);
    };
    const read = () => readStream(path, { hear: both, signal, since });
    // Without TLS, and not on localhost, there are no locks: then each page reads for itself.
    if (navigator.locks === undefined) void readStream(path, { hear: told, signal, since });
    else void navigator.locks.request(name, { signal }, read).catch(() => {});
  }

  const turn = () => {
    seen.abort();
    if (!document.hidden) start();
  };
  document.addEventListener("visibilitychange", turn);
  signal.addEventListener("abort", () => {
    document.removeEventListener("visibilitychange", turn);
    seen.abort();
  });
  turn();
}
