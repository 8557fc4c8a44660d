import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../../../../core/ports.ts";
import { createEventStreams } from "../../../../server/http/ofrep/event-streams.ts";
import { startTestServer, type TestServer } from "../../../support/server.ts";
import { waitUntil } from "../../../support/wait-until.ts";

let server: TestServer;
let time = Date.UTC(2026, 10, 22, 12);
const clock: Clock = { now: () => time };
beforeAll(async () => {
  server = await startTestServer({
    settings: { CORS_ALLOWED_ORIGINS: "https://app.example", ...AUTH },
    override: (services) => ({ ...services, clock }),
  });
});
afterAll(() => server.close());

const AUTH = {
  AUTH_ENABLED: "true",
  AUTH_JWT_SECRET: "a secret of at least thirty-two characters",
  AUTH_ISSUER_KEY: "an issuer key of sixteen",
};
const token = async () =>
  (await server.call("POST", "/auth/token", { issuer_key: AUTH.AUTH_ISSUER_KEY })).body.access_token as string;
const revision = () => server.services.snapshots.get("production")?.revision ?? 0;

async function address(): Promise<string> {
  const headers = { Authorization: `Bearer ${await token()}` };
  const { body } = await server.call("POST", "/ofrep/v1/evaluate/flags", {}, headers);
  return body.eventStreams[0].endpoint.requestUri;
}

let made = 0;
async function change(): Promise<number> {
  made += 1;
  const headers = { Authorization: `Bearer ${await token()}` };
  await server.call("POST", "/features", { name: "Feature", key: `feature-${made}` }, headers);
  return revision();
}

/** An open stream and what it said so far. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(server.url + path, { headers, signal: abort.signal });
  const heard = { text: "", ended: false };
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk, { stream: true });
    heard.ended = true;
  })().catch(() => {});
  const close = async () => {
    abort.abort();
    await reading;
  };
  return { response, heard, close, ids: () => [...heard.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)) };
}

test("a stream tells of every change: type, etag, time and the revision as its id", async () => {
  const { response, heard, ids, close } = await listen(await address());
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-store");
  await waitUntil(() => heard.text === "retry: 2000\n\n");
  const changed = await change();
  await waitUntil(() => ids().includes(changed));
  const data = { type: "refetchEvaluation", etag: `"production.${changed}"`, lastModified: time / 1000 };
  expect(heard.text).toBe(`retry: 2000\n\nid: ${changed}\ndata: ${JSON.stringify(data)}\n\n`);
  await close();
});

test("changes of another environment are not told", async () => {
  const { ids, close } = await listen(await address());
  await server.database.sql`insert into environments (key) values ('staging')`;
  const headers = { Authorization: `Bearer ${await token()}`, "X-Environment": "staging" };
  await server.call("POST", "/features", { name: "Elsewhere", key: "elsewhere" }, headers);
  const changed = await change();
  await waitUntil(() => ids().length > 0);
  expect(ids()).toEqual([changed]);
  await close();
});

test("what changed between the answer and the connection is told at once, and after Last-Event-ID what was missed", async () => {
  const path = await address();
  const before = revision();
  const now = await change();
  for (const [headers, expected] of [
    [{}, [now]],
    [{ "Last-Event-ID": String(before) }, [now]],
    [{ "Last-Event-ID": "nonsense" }, [now]],
    [{ "Last-Event-ID": String(now) }, []],
  ] as const) {
    const { heard, ids, close } = await listen(path, headers);
    await waitUntil(() => heard.text.startsWith("retry") && ids().length === expected.length);
    expect(ids()).toEqual(expected);
    await close();
  }
});

test("the address stays the same until something changes, so that clients keep their connection", async () => {
  const path = await address();
  expect(await address()).toBe(path);
  await change();
  expect(await address()).not.toBe(path);
});

describe("an address is refused", () => {
  test.each([
    ["without a signature", (path: string) => path.replace(/&signature=.*/, "")],
    // The key is drawn anew for every database: whichever sign the signature begins with, it is another.
    [
      "with a signature that was changed",
      (path: string) => path.replace(/signature=(.)/, (_, sign) => `signature=${sign === "_" ? "-" : "_"}`),
    ],
    ["of another environment", (path: string) => path.replace("/production", "/staging")],
    ["with more time", (path: string) => path.replace(/expires=\d/, "expires=9")],
    ["with another revision", (path: string) => path.replace(/since=/, "since=1")],
  ])("%s: 403", async (_, changed) => {
    const { status, body } = await server.call("GET", changed(await address()));
    expect(status).toBe(403);
    expect(body).toEqual({
      errorCode: "GENERAL",
      errorDetails: expect.stringContaining("not one this server gave out"),
    });
  });

  test("once it has expired, after one to two hours: 403", async () => {
    const path = await address();
    const expires = Number(/expires=(\d+)/.exec(path)?.[1]) * 1000;
    expect(expires - time).toBeGreaterThan(3_600_000);
    expect(expires - time).toBeLessThanOrEqual(7_200_000);
    const now = time;
    time = expires - 1;
    const { response, close } = await listen(path);
    expect(response.status).toBe(200);
    await close();
    time = expires;
    expect((await server.call("GET", path)).status).toBe(403);
    time = now;
  });

  test("a token is not needed, and not looked at", async () => {
    const { response, close } = await listen(await address(), { Authorization: "Bearer of nothing" });
    expect(response.status).toBe(200);
    await close();
  });
});

test("browsers of allowed origins may read streams and ETags, and send what OFREP sends", async () => {
  const Origin = "https://app.example";
  const { response, close } = await listen(await address(), { Origin });
  expect(response.headers.get("access-control-allow-origin")).toBe(Origin);
  await close();
  const { headers } = await server.call("OPTIONS", "/ofrep/v1/evaluate/flags", undefined, { Origin });
  for (const name of ["Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "X-API-Key", "X-Environment"])
    expect(headers.get("access-control-allow-headers")).toContain(name);
  expect(headers.get("access-control-expose-headers")).toMatch(/ETag.*Retry-After/);
});

test("a stream whose client is gone is forgotten", async () => {
  const open = () => server.services.metrics.snapshot().gauges.ofrep_event_streams;
  await waitUntil(() => open() === 0);
  const { close } = await listen(await address());
  await waitUntil(() => open() === 1);
  await close();
  await waitUntil(() => open() === 0);
});

test("closing the server ends its streams at once, so that clients come again elsewhere", async () => {
  const closing = await startTestServer();
  const { body } = await closing.call("POST", "/ofrep/v1/evaluate/flags", {});
  const response = await fetch(closing.url + body.eventStreams[0].endpoint.requestUri);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const closed = closing.close();
  expect(await reader.read()).toMatchObject({ done: true });
  await closed;
});

describe("createEventStreams()", () => {
  /** Snapshots of one environment whose revision the test moves. */
  function environment() {
    const listeners = new Set<(environment: string) => void>();
    let revision = 1;
    return {
      listeners,
      move: () => {
        revision += 1;
        for (const listener of listeners) listener("production");
      },
      snapshots: {
        get: () => ({ revision }) as NonNullable<ReturnType<TestServer["services"]["snapshots"]["get"]>>,
        onReplaced: (listener: (environment: string) => void) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    };
  }

  test("takes a bounded number, and none once it is closed", async () => {
    const { snapshots, listeners } = environment();
    const streams = createEventStreams({ snapshots, clock, limit: 2 });
    const first = streams.open("production", 1);
    expect(streams.open("production", 1)).toBeDefined();
    expect(streams.open("production", 1)).toBeUndefined();
    await first?.cancel();
    expect(streams.open("production", 1)).toBeDefined();
    streams.close();
    expect([streams.count, listeners.size, streams.open("production", 1)]).toEqual([0, 0, undefined]);
  });

  test("tells of a burst of changes by its first and its last", async () => {
    const { snapshots, move } = environment();
    const streams = createEventStreams({ snapshots, clock, rest: 30 });
    let text = "";
    const decoder = new TextDecoder();
    const reading = (async () => {
      for await (const chunk of streams.open("production", 1) ?? []) text += decoder.decode(chunk);
    })();
    for (let i = 0; i < 50; i += 1) move();
    await waitUntil(() => text.includes("id: 51"));
    streams.close();
    await reading;
    expect([...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(["2", "51"]);
  });

  test("writes comments meanwhile, and cuts off who does not read them", async () => {
    const { snapshots } = environment();
    const streams = createEventStreams({ snapshots, clock, keepAlive: 2 });
    const read = streams.open("production", 1);
    const unread = streams.open("production", 1);
    const reader = (read as ReadableStream<Uint8Array>).getReader();
    let comments = 0;
    while (streams.count > 1)
      comments += new TextDecoder().decode((await reader.read()).value).startsWith(": ") ? 1 : 0;
    expect(comments).toBeGreaterThan(10);
    expect(unread).toBeDefined();
    streams.close();
  });
});

test("more streams than a server takes are 429 with Retry-After", async () => {
  // The limit itself is tested above; here the answer to one too many, on a server that is closing.
  const { createApp } = await import("../../../../server/http/app.ts");
  const app = createApp(server.services);
  app.close?.();
  const refused = await app.fetch(new Request(`http://localhost${await address()}`));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "30"]);
});
