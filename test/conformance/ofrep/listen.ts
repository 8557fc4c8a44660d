/** One event of a stream, its data parsed. */
export interface HeardEvent {
  readonly id: string;
  readonly data: unknown;
}

export interface Listener {
  /** The next event that has data. @throws Error when the stream ends, or says nothing for ten seconds */
  next(): Promise<HeardEvent>;
  close(): Promise<void>;
}

const PATIENCE = 10_000;

/** Opens an event stream. @throws Error when it is refused, or is none */
export async function listen(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Listener> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { Accept: "text/event-stream", ...headers }, signal: abort.signal });
  const type = response.headers.get("content-type");
  if (response.status !== 200 || !type?.startsWith("text/event-stream") || response.body === null)
    throw new Error(`The event stream is answered by ${response.status} ${type}, expected 200 text/event-stream`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";

  async function nextBlock(): Promise<string> {
    for (;;) {
      const end = /\r?\n\r?\n/.exec(text);
      if (end !== null) {
        const block = text.slice(0, end.index);
        text = text.slice(end.index + end[0].length);
        return block;
      }
      const { done, value } = await reader.read();
      if (done) throw new Error("The event stream ended, expected an event");
      text += decoder.decode(value, { stream: true });
    }
  }

  async function nextEvent(): Promise<HeardEvent> {
    for (;;) {
      const lines = (await nextBlock()).split(/\r?\n/);
      const field = (name: string) =>
        lines
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ""));
      const data = field("data");
      if (data.length > 0) return { id: field("id").at(-1) ?? "", data: JSON.parse(data.join("\n")) };
    }
  }

  return {
    async next() {
      const timer = setTimeout(
        () => abort.abort(new Error(`The event stream said nothing for ${PATIENCE} ms`)),
        PATIENCE,
      );
      return nextEvent().finally(() => clearTimeout(timer));
    },
    async close() {
      abort.abort();
      await reader.cancel().catch(() => {});
    },
  };
}
