import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { INGEST_LIMIT } from "../../../server/http/routes/events.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const TIME = "2026-11-01T10:00:00+01:00";
let users = 0;
const freshUser = () => `user-${++users}`;
const event = (over: object = {}) => ({
  user_id: "ada",
  feature_key: "checkout",
  event_type: "view",
  timestamp: TIME,
  properties: { plan: "pro" },
  ...over,
});

describe("POST /events", () => {
  test("answers 201 with the id and the stored event, which is then listed", async () => {
    const user_id = freshUser();
    const { status, body } = await server.call("POST", "/events", event({ user_id, source: "shop" }));
    expect(status).toBe(201);
    const { duplicate, ...stored } = body;
    expect(stored).toEqual({
      id: expect.any(Number),
      event_id: null,
      user_id,
      feature_key: "checkout",
      event_type: "view",
      timestamp: "2026-11-01T09:00:00.000Z",
      properties: { plan: "pro" },
      source: "shop",
      ab_variant: null,
    });
    expect(duplicate).toBe(false);
    expect((await server.call("GET", `/events?user_id=${user_id}`)).body).toEqual([stored]);
  });

  test("answers a retry with 200 and the first id", async () => {
    const sent = event({ user_id: freshUser(), event_id: "once" });
    const first = await server.call("POST", "/events", sent);
    const second = await server.call("POST", "/events", sent);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual({ ...first.body, duplicate: true });
  });

  test("names the field it refuses, and stores nothing", async () => {
    const user_id = freshUser();
    const { status, body } = await server.call("POST", "/events", event({ user_id, timestamp: "2026-11-01T10:00:00" }));
    expect(status).toBe(422);
    expect(body.detail).toMatchObject({ code: "timestamp_without_zone", field: "timestamp" });
    expect((await server.call("GET", `/events?user_id=${user_id}`)).body).toEqual([]);
  });

  test("answers 400 to what is not JSON", async () => {
    expect((await server.call("POST", "/events", "{")).status).toBe(400);
  });

  test("makes the new profile visible to this process at once", async () => {
    const user_id = freshUser();
    const { profiles } = server.services;
    expect(await profiles.load("production", user_id)).toEqual({});
    await server.call("POST", "/events", event({ user_id }));
    expect(profiles.peek("production", user_id)).toBeUndefined();
    expect(await profiles.load("production", user_id)).toMatchObject({ view: { count: 1 } });
  });

  test("attaches the arm the user has in the feature's running experiment", async () => {
    await server.call("POST", "/features", { name: "Arms", key: "arms" });
    await server.call("POST", "/experiments", { name: "E", feature_key: "arms", primary_metric_event: "buy" });
    for (const user_id of ["u1", "u2", "u3", "u4", "u5", "u6"]) {
      const evaluated = await server.call("POST", "/evaluate", { feature_key: "arms", user: { user_id } });
      const { body } = await server.call("POST", "/events", event({ feature_key: "arms", user_id }));
      expect(body.ab_variant).toMatch(/^[AB]$/);
      expect(body.ab_variant).toBe(evaluated.body.experiment.variant);
    }
  });
});

describe("POST /ingest/events", () => {
  test("saves the good, rejects each bad one by index, and counts what it had already", async () => {
    const user_id = freshUser();
    const events = [
      event({ user_id, event_id: "a" }),
      event({ user_id, timestamp: "2999-01-01T00:00:00Z" }),
      event({ user_id, properties: { error_rate: 2 } }),
      "nothing",
      event({ user_id, event_id: "a" }),
      event({ user_id, source: "own" }),
    ];
    const { status, body } = await server.call("POST", "/ingest/events", { source: "app", events });
    expect(status).toBe(201);
    expect(body).toMatchObject({ saved_events: 2, rejected: 3, duplicates: 1 });
    expect(body.rejections.map(({ index, code, field }: Record<string, unknown>) => [index, code, field])).toEqual([
      [1, "future_timestamp", "timestamp"],
      [2, "out_of_range", "properties.error_rate"],
      [3, "invalid_type", undefined],
    ]);
    const listed = await server.call("GET", `/events?user_id=${user_id}`);
    expect(listed.body.map(({ source }: { source: string }) => source)).toEqual(["own", "app"]);
  });

  test("takes 5,000 events and refuses 5,001", async () => {
    const user_id = freshUser();
    const events = Array.from({ length: 5001 }, () => event({ user_id, properties: {} }));
    expect((await server.call("POST", "/ingest/events", { source: "s", events })).status).toBe(422);
    const { status, body } = await server.call("POST", "/ingest/events", { source: "s", events: events.slice(1) });
    expect(status).toBe(201);
    expect(body).toEqual({ saved_events: 5000, rejected: 0, duplicates: 0, rejections: [] });
  });

  test("refuses a body over the limit with 413, with or without its length said", async () => {
    const large = JSON.stringify({ source: "s", events: [], filler: "x".repeat(INGEST_LIMIT) });
    expect((await server.call("POST", "/ingest/events", large)).status).toBe(413);
    const body = new Blob([large]).stream();
    const chunked = await fetch(`${server.url}/ingest/events`, { method: "POST", body, duplex: "half" } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  test.each([
    [{ events: [event()] }, "source"],
    [{ source: "", events: [event()] }, "source"],
    [{ source: "s", events: [] }, "events"],
    [{ source: "s" }, "events"],
    [{ source: "s", events: {} }, "events"],
  ])("names what is wrong with the call itself: %j", async (body, field) => {
    const answer = await server.call("POST", "/ingest/events", body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail.field).toBe(field);
  });
});

describe("GET /events", () => {
  test("pages by the cursor of its headers until there is none", async () => {
    const user_id = freshUser();
    const events = Array.from({ length: 25 }, (_, i) => event({ user_id, properties: { i } }));
    await server.call("POST", "/ingest/events", { source: "s", events });
    const seen: number[] = [];
    let path: string | undefined = `/events?user_id=${user_id}&limit=10`;
    while (path !== undefined) {
      const page = await server.call("GET", path);
      seen.push(...page.body.map(({ properties }: { properties: { i: number } }) => properties.i));
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      expect(page.headers.has("x-next-cursor")).toBe(path !== undefined);
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => 24 - i));
  });

  test.each(["limit=0", "limit=1001", "limit=x", "cursor=zzz", "user_id=%00", "user_id="])(
    "refuses %s",
    async (query) => {
      expect((await server.call("GET", `/events?${query}`)).status).toBe(422);
    },
  );
});
