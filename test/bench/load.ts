import autocannon from "autocannon";

export interface Load {
  /** Answered requests a second. */
  readonly perSecond: number;
  /** Milliseconds; NaN unless a rate was given: at full load it measures the queue, not the server. */
  readonly p99: number;
}

/**
 * POSTs to `url` for some seconds, by default over 32 connections; each connection repeats its own list of bodies.
 *
 * @throws when an answer is not 2xx: a server that refuses is quick, but that is not what is measured
 */
export async function load(
  url: string,
  {
    bodies,
    seconds,
    rate,
    connections = CONNECTIONS,
    token,
  }: {
    bodies: (connection: number) => readonly string[];
    seconds: number;
    rate?: number;
    connections?: number;
    /** Sent as `Authorization`. */
    token?: string;
  },
): Promise<Load> {
  const { pathname } = new URL(url);
  const headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: token }) };
  const took: number[] = [];
  let connection = 0;
  const running = autocannon({
    url,
    connections,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
    setupClient: (client) => {
      const own = bodies(connection);
      connection += 1;
      client.setRequests(own.map((body) => ({ method: "POST", path: pathname, headers, body })));
    },
  });
  if (rate !== undefined) running.on("response", (_, __, ___, milliseconds) => took.push(milliseconds));
  const result = await running;
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url} refused ${result.non2xx} requests and failed ${result.errors}`);
  took.sort((a, b) => a - b);
  return {
    perSecond: result.requests.total / result.duration,
    p99: took[Math.ceil(took.length * 0.99) - 1] ?? Number.NaN,
  };
}

export const CONNECTIONS = 32;
