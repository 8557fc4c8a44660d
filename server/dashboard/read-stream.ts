import { ApiError, send } from "./api.ts";
import { online, signedOut } from "./session.ts";

/** `open` is ours: a connection was made, and what the server counts begins anew. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The last that was told, also by an earlier event. */
  readonly id?: string | undefined;
}

/**
 * Server-sent events through fetch, which unlike EventSource can say the environment. Comes again by itself after a loss,
 * with the id it last heard; ends with the signal.
 */
export async function readStream(
  path: string,
  { hear, signal, since }: { hear: (event: StreamEvent) => void; signal: AbortSignal; since: string | undefined },
): Promise<void> {
  let id = since;
  while (!signal.aborted) {
    try {
      // Nobody is asked in vain while somebody has to sign in.
      if (signedOut.peek() === undefined) {
        const response = await send("GET", path, undefined, {
          ...{ signal, accept: "text/event-stream" },
          ...(id === undefined ? {} : { lastId: id }),
        });
        if (!response.ok || response.body === null)
          throw new ApiError(response.status, "stream", "The stream was refused");
        hear({ event: "open", data: "" });
        for await (const event of eventsOf(response.body)) {
          id = event.id ?? id;
          hear({ ...event, id });
        }
        online.value = false;
      }
    } catch {
      if (signal.aborted) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** The events of a body, each with the id it has itself. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const { id, event = "message", data } = fieldsOf(block);
      if (data !== undefined) yield { event, data, id };
    }
  }
}

function fieldsOf(block: string): { id?: string; event?: string; data?: string } {
  return Object.fromEntries(
    block.split("\n").flatMap((line) => {
      const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    }),
  );
}
