/** One event of a text/event-stream, as far as ours use the format: without names. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads by fetch, which can send headers, what EventSource would read. `onChunk` hears of comments, too. */
export async function* readServerEvents(response: Response, onChunk: () => void): AsyncGenerator<ServerEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onChunk();
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parse(block);
        if (event !== undefined) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined); // It is broken already.
  }
}

/** undefined: nothing but comments and settings. */
function parse(block: string): ServerEvent | undefined {
  const lines = block.split(/\r?\n/);
  const fieldsOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ""));
  const data = fieldsOf("data");
  return data.length === 0 ? undefined : { id: fieldsOf("id").at(-1), data: data.join("\n") };
}
