import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ClientOptions, createClient } from "../../../server/client/client.ts";
import type { Lost, TrackedEvent } from "../../../server/client/tracker.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.database.sql`truncate events`);
afterAll(() => server.close());

const seen = (number: number): TrackedEvent => ({
  user_id: `user-${number}`,
  feature_key: "checkout",
  event_type: "view",
});

/** A client and what it does: the events of each request, and what it told of lost ones. */
function spied(options: Partial<ClientOptions> = {}, alter: (answer: Response) => Response = (answer) => answer) {
  const requests: TrackedEvent[][] = [];
  const lost: (Lost & { event: TrackedEvent })[] = [];
  const client = createClient({
    url: server.url,
    ...options,
    fetch: async (input, init) => {
      requests.push(JSON.parse(String(init?.body)).events);
      return alter(await fetch(input, init));
    },
    tracking: { interval: 10, onLost: (event, why) => void lost.push({ ...why, event }), ...options.tracking },
  });
  return { client, requests, lost };
}

async function stored() {
  const rows = await server.database.sql<{ user_id: string; properties: object; source: string }[]>`
    select user_id, properties, source from events order by id`;
  return rows.map((row) => ({ ...row }));
}

test("events wait for each other, and are sent as they were when they were tracked", async () => {
  const { client, requests } = spied({ tracking: { source: "shop" } });
  const properties: Record<string, number> = { price: 3 };
  for (let number = 0; number < 5; number++) client.track({ ...seen(number), properties });
  properties.price = 4;
  expect(client.tracked).toEqual({ waiting: 5, stored: 0, lost: 0 });
  await waitUntil(() => client.tracked.stored === 5);
  expect(requests).toHaveLength(1);
  expect(await stored()).toEqual(
    [0, 1, 2, 3, 4].map((number) => ({ user_id: `user-${number}`, properties: { price: 3 }, source: "shop" })),
  );
  await client.close();
});

test("as many as make a batch are sent at once, and no request is larger than that", async () => {
  const { client, requests } = spied({ tracking: { batchSize: 20, interval: 3_600_000 } });
  for (let number = 0; number < 50; number++) client.track(seen(number));
  await waitUntil(() => client.tracked.stored >= 40);
  await client.flush();
  expect(client.tracked).toEqual({ waiting: 0, stored: 50, lost: 0 });
  expect(requests.map((events) => events.length)).toEqual([20, 20, 10]);
  await client.close();
});

test("a batch of large events is parted", async () => {
  const { client, requests } = spied({ tracking: { interval: 3_600_000 } });
  const properties = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`text-${at}`, "x".repeat(2000)]));
  for (let number = 0; number < 12; number++) client.track({ ...seen(number), properties });
  await client.close();
  expect(client.tracked).toEqual({ waiting: 0, stored: 12, lost: 0 });
  expect(requests.length).toBeGreaterThan(2);
});

test("an answer that got lost does not make an event count twice", async () => {
  let answers = 0;
  const { client, requests } = spied({}, (answer) => {
    answers += 1;
    if (answers === 1) throw new TypeError("The connection was lost");
    return answer;
  });
  for (let number = 0; number < 3; number++) client.track(seen(number));
  await client.close();
  expect(requests).toHaveLength(2);
  expect(requests[1]).toEqual(requests[0]);
  expect(client.tracked).toEqual({ waiting: 0, stored: 3, lost: 0 });
  expect(await stored()).toHaveLength(3);
});

test("an answer that something else gave is none", async () => {
  let answers = 0;
  const { client } = spied({}, (answer) => {
    answers += 1;
    return answers === 1 ? Response.json({ ok: true }) : answer;
  });
  client.track(seen(1));
  await waitUntil(() => client.tracked.stored === 1);
  expect(answers).toBe(2);
  await client.close();
});

describe("what will never be stored is told and counted:", () => {
  test("events that the server rejects, each by itself", async () => {
    const { client, lost } = spied();
    client.track(seen(1));
    client.track({ ...seen(2), user_id: "" });
    client.track({ ...seen(3), properties: { nested: {} as never } });
    client.track(seen(4));
    await client.close();
    expect(lost).toEqual([
      {
        code: "empty_field",
        message: "user_id is empty; give a text",
        event: expect.objectContaining({ user_id: "" }),
      },
      expect.objectContaining({ code: "invalid_property", message: expect.stringMatching(/^properties.nested/) }),
    ]);
    expect(client.tracked).toEqual({ waiting: 0, stored: 2, lost: 2 });
  });

  test("events that are no JSON", async () => {
    const { client, lost } = spied();
    client.track({ ...seen(1), properties: { big: 1n as never } });
    expect(lost).toMatchObject([{ code: "invalid_type", event: { user_id: "user-1" } }]);
    await client.close();
  });

  test("a request that is refused, which is not repeated", async () => {
    const { client, requests, lost } = spied({ environment: "gone" });
    client.track(seen(1));
    client.track(seen(2));
    await waitUntil(() => lost.length === 2);
    expect(lost.map(({ code }) => code)).toEqual(["unknown_environment", "unknown_environment"]);
    expect(requests).toHaveLength(1);
    client.track(seen(3));
    await waitUntil(() => lost.length === 3);
    expect(client.tracked).toEqual({ waiting: 0, stored: 0, lost: 3 });
    await client.close();
  });

  test("the newest, when too many wait; the others are stored when the server is back", async () => {
    let away = true;
    const { client, lost } = spied({ tracking: { limit: 3 } }, (answer) => {
      if (away) throw new TypeError("The network is down");
      return answer;
    });
    for (let number = 0; number < 5; number++) client.track(seen(number));
    expect(lost.map(({ code, event }) => [code, event.user_id])).toEqual([
      ["queue_full", "user-3"],
      ["queue_full", "user-4"],
    ]);
    away = false;
    await client.close();
    expect((await stored()).map(({ user_id }) => user_id)).toEqual(["user-0", "user-1", "user-2"]);
    expect(client.tracked).toEqual({ waiting: 0, stored: 3, lost: 2 });
  });

  test("what still waits when the client has to end, and what comes afterwards", async () => {
    const busy = () =>
      new Response('{"detail":{"code":"overloaded","message":"Too much at once"}}', {
        status: 429,
        headers: { "Retry-After": "3600" },
      });
    const { client, requests, lost } = spied({}, busy);
    client.track(seen(1));
    await waitUntil(() => requests.length === 1);
    await client.close(100);
    client.track(seen(2));
    expect(lost.map(({ code, event }) => [code, event.user_id])).toEqual([
      ["closed", "user-1"],
      ["closed", "user-2"],
    ]);
    expect(lost[0]?.message).toMatch(/Too much at once/);
    expect(requests, "Retry-After is kept, even then").toHaveLength(1);
    expect(client.tracked).toEqual({ waiting: 0, stored: 0, lost: 2 });
  });

  test("a listener that throws keeps nothing from being sent", async () => {
    const onLost = () => {
      throw new Error("A fault in the listener");
    };
    const { client } = spied({ tracking: { onLost } });
    client.track({ ...seen(1), user_id: "" });
    client.track(seen(2));
    await client.close();
    expect(client.tracked).toEqual({ waiting: 0, stored: 1, lost: 1 });
  });
});

test("a token that has expired is renewed for the next attempt", async () => {
  const settings = { AUTH_ENABLED: "true", AUTH_JWT_SECRET: "s".repeat(40), AUTH_ISSUER_KEY: "k".repeat(40) };
  const guarded = await startTestServer({ settings });
  const { access_token } = await guarded.client.issueToken({ issuer_key: settings.AUTH_ISSUER_KEY });
  const tokens = ["expired", access_token];
  const { client } = spied({ url: guarded.url, token: () => (tokens.length > 1 ? tokens.shift() : tokens[0]) ?? "" });
  client.track(seen(1));
  await client.close();
  expect(client.tracked).toEqual({ waiting: 0, stored: 1, lost: 0 });
  await guarded.close();
});
