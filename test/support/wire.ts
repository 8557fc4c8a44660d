import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that can be cut and mended, at an address that stays. */
export interface Wire {
  readonly url: string;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Ends what goes over it, and refuses what comes. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

export async function wireTo(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let connections = 0;
  let own = 0;
  let server: Server;

  function carry(near: Socket): void {
    connections += 1;
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    near.pipe(far).on("close", () => near.destroy());
    far.pipe(near).on("close", () => far.destroy());
  }

  async function mend(): Promise<void> {
    server = createServer(carry);
    await new Promise<void>((resolve) => server.listen(own, "127.0.0.1", resolve));
    own = (server.address() as { port: number }).port;
  }

  await mend();
  return {
    url: `http://127.0.0.1:${own}`,
    get connections() {
      return connections;
    },
    mend,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
