import { ApiError, send } from "./api.ts";
import { online } from "./session.ts";

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Server-sent events through fetch, which unlike EventSource can send a token. Comes again by itself after a loss, with the
 * id it last heard; ends with the signal.
 */
export async function readStream(path: string, hear: (event: StreamEvent) => void, signal: AbortSignal): Promise<void> {
  let lastId: string | undefined;
  while (!signal.aborted) {
    try {
      const response = await send("GET", path, undefined, {
        signal,
        accept: "text/event-stream",
        ...(lastId === undefined ? {} : { lastId }),
      });
      if (!response.ok || response.body === null)
        throw new ApiError(response.status, "stream", "The stream was refused");
      let rest = "";
      for await (const text of textOf(response.body)) {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const fields = fieldsOf(block);
          lastId = fields.id ?? lastId;
          if (fields.data !== undefined) hear({ event: fields.event ?? "message", data: fields.data });
        }
      }
      online.value = false;
    } catch {
      if (signal.aborted) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncIterable<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
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
