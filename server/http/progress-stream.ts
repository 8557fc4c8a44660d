export interface Work {
  /** Says how far it is; left out while the client does not read. */
  tell(progress: object): void;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Server-sent events of work that takes its time: `progress` while it goes on, then `done` with its answer, or `failed` with
 * what `refuse` makes of the error. The work starts at once, and is told to stop when the client goes.
 */
export function progressStream(
  work: (work: Work) => Promise<object>,
  refuse: (error: Error) => Promise<string>,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (event: string, data: string) => {
          if (!gone.signal.aborted) controller.enqueue(encoder.encode(`event: ${event}\ndata: ${data}\n\n`));
        };
        const tell = (progress: object) => {
          if ((controller.desiredSize ?? 0) > 0) send("progress", JSON.stringify(progress));
        };
        void work({ tell, signal: gone.signal })
          .then(
            (answer) => send("done", JSON.stringify(answer)),
            async (error: Error) => gone.signal.aborted || send("failed", await refuse(error)),
          )
          .finally(() => gone.signal.aborted || controller.close());
      },
      cancel: () => gone.abort(),
    },
    new CountQueuingStrategy({ highWaterMark: 16 }),
  );
}
