import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { HttpApp } from "./app.ts";
import { BODY_LIMIT } from "./body.ts";

export interface Listening {
  /** `http://127.0.0.1:8000`, with the port that was really given. */
  readonly url: string;
  /** Stops accepting, lets what is in flight finish for up to 10 seconds, then cuts what is left. */
  close(): Promise<void>;
}

/** What keeps slow, large and many clients from taking the server away from the others. */
export interface ListenLimits {
  /** Milliseconds a request's headers may take to arrive; later: 408. Default 10,000. */
  readonly headersTimeout: number;
  /** Milliseconds the whole request with its body may take; later: 408. Default 300,000. */
  readonly requestTimeout: number;
  /** Milliseconds between two looks at who has taken too long. Default 5,000. */
  readonly checkEvery: number;
  /** Milliseconds. Default 65,000: longer than the usual load balancers' idle timeout (60 s), so that they close first. */
  readonly keepAliveTimeout: number;
  /** Bytes of a request's headers; more: 431. Default 16 KB. */
  readonly headerBytes: number;
  /** Connections at once; more are closed. Default 10,000. */
  readonly connections: number;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly limits?: Partial<ListenLimits>;
}

const LIMITS: ListenLimits = {
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  checkEvery: 5_000,
  keepAliveTimeout: 65_000,
  headerBytes: 16 * 1024,
  connections: 10_000,
};
const DRAIN_TIMEOUT = 10_000;

/**
 * Serves the app by node:http (on Deno too). Port 0 takes a free one.
 *
 * @throws Error when the address is taken or not this machine's
 */
export async function listen(app: HttpApp, { host, port, limits = {} }: ListenOptions): Promise<Listening> {
  const { headersTimeout, requestTimeout, checkEvery, keepAliveTimeout, headerBytes, connections } = {
    ...LIMITS,
    ...limits,
  };
  const answer = getRequestListener((request, bindings) => app.fetch(request, bindings as HttpBindings), {
    hostname: host,
  });
  const server = createServer(
    {
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: checkEvery,
      keepAliveTimeout,
      maxHeaderSize: headerBytes,
      noDelay: true,
    },
    (incoming, outgoing) => collect(incoming, outgoing, answer),
  );
  server.maxConnections = connections;
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await bind(server, host, port);
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: () => {
      app.close?.();
      return close(server, sockets);
    },
  };
}

/**
 * Reads a small body before the app is called, so that handlers can parse it without a promise. Uploads, large bodies
 * and bodies without a length stay streams.
 */
function collect(
  incoming: IncomingMessage & { rawBody?: Buffer },
  outgoing: ServerResponse,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>,
): void {
  const { "content-length": length, "content-type": type } = incoming.headers;
  if (length === undefined || length === "0" || Number(length) > BODY_LIMIT || type?.startsWith("multipart/")) {
    void answer(incoming, outgoing);
    return;
  }
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    incoming.rawBody = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    void answer(incoming, outgoing);
  });
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new Error(`Cannot listen on ${host}:${port}: ${error.message}. Set HOST and PORT to a free address`, {
          cause: error,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closeIdle = () => {
    server.closeIdleConnections();
    // Opened ahead, as browsers and undici do: node:http counts a connection that never asked anything as busy.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  return new Promise((resolve) => {
    // A keep-alive connection becomes idle only when its answer is out: look again until none is left.
    const sweep = setInterval(closeIdle, 50);
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    closeIdle();
  });
}
