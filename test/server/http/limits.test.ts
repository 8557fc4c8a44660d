import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listening, type ListenLimits, listen } from "../../../server/http/listen.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

/** A server whose app answers with the size of the body. */
function start(limits: Partial<ListenLimits> = {}): Promise<Listening> {
  const fetch = async (request: Request) => Response.json({ size: (await request.arrayBuffer()).byteLength });
  return listen({ fetch }, { host: "127.0.0.1", port: 0, limits });
}

async function open({ url }: Listening): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

describe("a client that takes its time", () => {
  const IMPATIENT = { headersTimeout: 100, requestTimeout: 200, checkEvery: 20 };

  test.each([
    ["its headers", "POST / HTTP/1.1\r\nHost: here\r\nX-Half"],
    ["a body of a stated length", "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf"],
    ["a body without a length", "POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    ["a large body", "POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\nhalf"],
  ])("with %s is told so and cut off, while others are served", async (_, half) => {
    const server = await start(IMPATIENT);
    const socket = await open(server);
    const answer = text(socket);
    socket.write(half);
    expect(await (await fetch(server.url, { method: "POST", body: "whole" })).json()).toEqual({ size: 5 });
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    await server.close();
  });

  test("but asks at once is not, however long it stays connected", async () => {
    const server = await start(IMPATIENT);
    const socket = await open(server);
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      answer += chunk;
    });
    const ask = async () => {
      answer = "";
      socket.write("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nwhole");
      await expect.poll(() => answer, { timeout: 10_000 }).toContain('{"size":5}');
    };
    await ask();
    // Another one is cut off in the meantime: the limits have passed.
    const slow = await open(server);
    slow.write("GET / HTTP/1.1\r\nX-Half");
    await text(slow);
    await ask();
    socket.destroy();
    await server.close();
  });
});

test("headers beyond the limit are 431, below it they are read", async () => {
  const server = await start();
  const send = async (bytes: number) => (await fetch(server.url, { headers: { "X-Long": "x".repeat(bytes) } })).status;
  expect([await send(15 * 1024), await send(17 * 1024)]).toEqual([200, 431]);
  await server.close();
});

test("more connections than the limit are closed; when one is given back, the next is taken", async () => {
  const server = await start({ connections: 2 });
  const taken = [await open(server), await open(server)];
  const refused = await open(server)
    .then((socket) => text(socket))
    .catch(() => "");
  expect(refused).toBe("");
  for (const socket of taken) socket.end("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
  for (const socket of taken) expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  await expect
    .poll(async () => (await fetch(server.url).catch(() => undefined))?.status, { timeout: 10_000 })
    .toBe(200);
  await server.close();
});

describe("a body", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  test("that its client cuts off is the client's fault, not the database's", async () => {
    const socket = await open(server);
    const half = "POST /events HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    await new Promise((resolve) => socket.write(half, resolve));
    socket.destroy();
    await expect.poll(() => answersTo("/events"), { timeout: 10_000 }).toEqual(["400"]);
  });

  /** The statuses that were answered, whether or not anybody heard them. */
  const answersTo = async (path: string) => {
    const { timings_ms } = (await server.call("GET", "/metrics", undefined, { Accept: "application/json" })).body;
    return Object.keys(timings_ms).flatMap(
      (series) => new RegExp(`route="${path}",status="(\\d+)"`).exec(series)?.[1] ?? [],
    );
  };

  const KB = 1024;
  const MB = 1024 * KB;

  test.each([
    ["/evaluate", 256 * KB],
    ["/events", 256 * KB],
    ["/features", 256 * KB],
    ["/train", 256 * KB],
    ["/evaluate/batch", 4 * MB],
    ["/ingest/events", 8 * MB],
    ["/exposures", 8 * MB],
  ])("of %s may have %d bytes, with or without its length told", async (path, limit) => {
    const send = async (bytes: number, told: boolean) => {
      const body = `${" ".repeat(bytes - 2)}[]`;
      const sent = told ? { body } : ({ body: new Blob([body]).stream(), duplex: "half" } as const);
      const answer = await fetch(server.url + path, { method: "POST", ...sent });
      return [answer.status, ((await answer.json()) as { detail: { code: string } }).detail.code];
    };
    for (const told of [true, false]) {
      expect(await send(limit, told)).toEqual([422, expect.any(String)]);
      expect(await send(limit + 1, told)).toEqual([413, "body_too_large"]);
    }
  });
});
