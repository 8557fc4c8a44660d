import net from "node:net";
import type { Duplex } from "node:stream";
import postgres from "postgres";
import { type SslMode, secureSocket } from "./secure-socket.ts";

/** postgres.js with `bigint` columns (ids, counts) read as numbers: none of ours passes 2^53. */
export type Sql = postgres.Sql<{ bigint: number }>;
export type Transaction = postgres.TransactionSql<{ bigint: number }>;

export interface SqlOptions {
  /** Connections at most; one more is used while listening. Default 10. */
  readonly max?: number;
  /** Told of the server's notices. Default: they are dropped. */
  readonly onnotice?: (notice: postgres.Notice) => void;
}

/**
 * Opens a pool. Connects on the first query, and again by itself after a loss. A query that cannot connect rejects.
 *
 * @param url `postgres://user:password@host:port/database`, `?sslmode=require` and the like as libpq spells them
 */
export function openSql(url: string, { max = 10, onnotice = () => {} }: SqlOptions = {}): Sql {
  const hints = new Set<() => void>();
  const sockets = new Set<Duplex>();
  const options: postgres.Options<{ bigint: typeof bigint }> & { socket: SocketFactory } = {
    max,
    onnotice,
    types: { bigint },
    // Asked for on every new connection, and nobody handles its failure: a connection lost at that moment would end the
    // process (docs/decisions/0051-lost-connections.md). Arrays are sent as text instead (array-literal.ts).
    fetch_types: false,
    connection: { application_name: APPLICATION_NAME },
    // TLS is the socket's.
    ssl: false,
    // Without a bound, the pause between attempts grows to 20 s: too long to be stale after the database is back.
    backoff: (attempt) => Math.min(0.05 * 2 ** attempt, 1),
    connect_timeout: CONNECT_S,
    onclose: () => {
      for (const hint of hints) hint();
    },
    socket: connectWithoutDelay(sockets, sslModeOf(url)),
  };
  const sql = postgres(url, options);
  lossHints.set(sql, hints);
  pools.set(sql, { sockets, most: max, dropped: new Set() });
  return sql;
}

/** A server that has not finished a new connection for so long does not answer. Seconds. */
const CONNECT_S = 5;

/**
 * PostgreSQL keeps the first 63 characters. The blanks make the start-up message longer than 1,024 bytes: postgres.js 3.4.9
 * sends a shorter one later, and a connection lost in between is never used again (docs/decisions/0051-lost-connections.md).
 */
const APPLICATION_NAME = "adaptive-feature-flags".padEnd(1100);

/**
 * Calls back whenever a connection of the pool has closed, for any reason: a hint that the database may be gone.
 * Returns how to stop.
 */
export function onConnectionClosed(sql: Sql, hint: () => void): () => void {
  const hints = lossHints.get(sql);
  hints?.add(hint);
  return () => hints?.delete(hint);
}

const lossHints = new WeakMap<Sql, Set<() => void>>();

/** Connections the pool holds, and how many it may; the one that listens comes on top. */
export function openConnections(sql: Sql): { readonly open: number; readonly most: number } {
  const { sockets = new Set<Duplex>(), most = 0 } = pools.get(sql) ?? {};
  return { open: [...sockets].filter(({ destroyed }) => !destroyed).length, most };
}

/**
 * Gives up every connection of the pool, for a server that neither answers nor closes them: what waits on one is rejected
 * at once (on one that is still connecting, after its timeout), and the next query connects anew. What the server was asked to
 * commit may still be committed.
 */
export function dropConnections(sql: Sql): void {
  const pool = pools.get(sql);
  // Without an error: postgres.js would forget a query that came between the error and the close, for ever.
  for (const socket of pool?.sockets ?? []) socket.destroy();
  for (const told of pool?.dropped ?? []) told();
}

/** Calls back when `dropConnections` gave the pool's connections up. Returns how to stop. */
export function onConnectionsDropped(sql: Sql, told: () => void): () => void {
  const listeners = pools.get(sql)?.dropped;
  listeners?.add(told);
  return () => listeners?.delete(told);
}

interface Pool {
  readonly sockets: ReadonlySet<Duplex>;
  readonly most: number;
  readonly dropped: Set<() => void>;
}

const pools = new WeakMap<Sql, Pool>();

const bigint = {
  to: 20,
  from: [20],
  serialize: (value: number) => String(value),
  parse: (text: string) => Number(text),
};

/** undefined: without TLS. */
function sslModeOf(url: string): SslMode | undefined {
  const mode = URL.canParse(url) ? new URL(url).searchParams.get("sslmode") : null;
  return mode === null || mode === "disable" ? undefined : (mode as SslMode);
}

/** What postgres.js hands to the (untyped) `socket` option. */
type SocketFactory = (options: { host: string[]; port: number[]; path: string | false }) => Duplex;

/**
 * postgres.js leaves Nagle's algorithm on: COPY and pipelined writes over TCP then stall 40 ms and more. The socket is
 * handed over unconnected: when the factory itself failed, the pool would never give the connection back.
 */
function connectWithoutDelay(open: Set<Duplex>, mode: SslMode | undefined): SocketFactory {
  let attempt = 0;
  const counted = <S extends Duplex>(socket: S): S => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    return socket;
  };
  return ({ host, port, path }) => {
    if (path) return counted(net.connect(path));
    const turn = attempt++ % host.length;
    const name = host[turn] ?? "localhost";
    const at = { host: name, port: port[turn] ?? 5432 };
    const socket = net.connect({ ...at, noDelay: true });
    const handed = mode === undefined ? socket : secureSocket(socket, mode, net.isIP(name) ? undefined : name);
    // postgres.js names them in its errors.
    return counted(Object.assign(handed, at));
  };
}
