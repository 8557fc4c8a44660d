import type net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";

/** As libpq names them; `allow` and `prefer` do without where the server has no TLS. */
export type SslMode = "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

/** The first message of a connection that asks for TLS: its length, and the code 80877103. The server answers S or N. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * TLS over a socket to PostgreSQL that is being connected, as one stream that can be written to at once and destroyed at any
 * time. postgres.js has TLS of its own; a connection lost while it negotiates is never used again, and one that is given up
 * under TLS ends the process (docs/decisions/0051-lost-connections.md).
 */
export function secureSocket(raw: net.Socket, mode: SslMode, servername: string | undefined): Duplex {
  let inner: net.Socket | undefined;
  const ready = Promise.withResolvers<net.Socket>();
  ready.promise.catch(() => {});
  const outer = new Duplex({
    read() {
      inner?.resume();
    },
    write(chunk: Buffer, _, done) {
      ready.promise.then((socket) => socket.write(chunk, done), done);
    },
    final(done) {
      ready.promise.then((socket) => socket.end(done), done);
    },
    destroy(error, done) {
      inner?.destroy();
      raw.destroy();
      ready.reject(error ?? new Error("The connection was closed"));
      done(error);
    },
  });
  const fail = (error: Error) => outer.destroy(error);
  const use = (socket: net.Socket) => {
    inner = socket;
    socket.on("data", (chunk: Buffer) => {
      if (!outer.push(chunk)) socket.pause();
    });
    socket.on("end", () => outer.push(null));
    ready.resolve(socket);
  };
  raw.on("error", fail).on("close", () => outer.destroy());
  raw.write(SSL_REQUEST);
  raw.once("data", (answer: Buffer) => {
    // More than one byte would be somebody's who is in between.
    if (answer.length === 1 && answer[0] === 0x53) {
      const rejectUnauthorized = mode === "verify-ca" || mode === "verify-full";
      const own = mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {};
      const secured = tls.connect({ socket: raw, rejectUnauthorized, ...(servername ? { servername } : {}), ...own });
      secured.on("error", fail).once("secureConnect", () => use(secured));
    } else if (answer.length === 1 && answer[0] === 0x4e && (mode === "allow" || mode === "prefer")) use(raw);
    else
      fail(
        new Error(`PostgreSQL does not take TLS, which sslmode=${mode} asks for: set sslmode=prefer, or configure it`),
      );
  });
  // postgres.js asks a socket whether it is open before it says goodbye.
  return Object.defineProperty(outer, "readyState", { get: () => (outer.destroyed ? "closed" : "open") });
}
