import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";
import { waitUntil } from "../../support/wait-until.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.createFeature({ key: "half", name: "Half", rollout_percentage: 50 });
  await server.client.createFeature({ key: "never-asked", name: "Never asked" });
});
afterAll(() => server.close());

interface Heard {
  readonly id?: string;
  readonly event: string;
  readonly data: ReturnType<typeof JSON.parse>;
}

/** Opens the stream; `heard` grows as events come. */
async function listen(query = "", lastEventId?: string) {
  const controller = new AbortController();
  const response = await fetch(`${server.url}/decisions/stream${query}`, {
    signal: controller.signal,
    headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
  });
  const heard: Heard[] = [];
  const read = async () => {
    let rest = "";
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields.data !== undefined) heard.push({ ...fields, data: JSON.parse(fields.data) } as Heard);
      }
    }
  };
  const ended = read().catch(() => {});
  await waitUntil(() => heard.some(({ event }) => event === "status"));
  const decisions = () => heard.filter(({ event }) => event === "decision");
  const events = () => heard.filter(({ event }) => event === "event");
  const status = () => heard.findLast(({ event }) => event === "status")?.data;
  return {
    decisions,
    events,
    status,
    async close() {
      controller.abort();
      await ended;
    },
  };
}

test("the stream tells what its filter lets through, without attributes", async () => {
  const stream = await listen("?feature_key=half&user_id=ada");
  await server.client.evaluate("half", { user_id: "bob" });
  await server.client.evaluate("never-asked", { user_id: "ada" });
  const decided = await server.client.evaluate("half", { user_id: "ada", secret: "x" });
  await waitUntil(() => stream.decisions().length > 0);
  expect(stream.decisions().map(({ data }) => data)).toMatchObject([
    { decision_id: decided.decision_id, feature_key: "half", user_id: "ada", variant: decided.variant, fallback: null },
  ]);
  expect(JSON.stringify(stream.decisions())).not.toContain("secret");
  await stream.close();
});

test("of a burst the newest are told, and the others are counted", async () => {
  const stream = await listen("?feature_key=half");
  const users = Array.from({ length: 500 }, (_, i) => ({ user_id: `burst-${i}` }));
  await server.client.evaluateUsers("half", users);
  await waitUntil(() => stream.status().matched === 500 && stream.status().sent + stream.status().sampled === 500);
  expect(stream.status()).toMatchObject({ dropped: 0 });
  expect(stream.status().sampled).toBeGreaterThan(0);
  expect(stream.decisions().at(-1)?.data.user_id).toBe("burst-499");
  await stream.close();
});

test("who comes again hears what was missed, and an id of another process starts anew", async () => {
  const first = await listen("?feature_key=half");
  await server.client.evaluate("half", { user_id: "one" });
  await waitUntil(() => first.decisions().length === 1);
  const id = first.decisions()[0]?.id ?? "";
  await first.close();
  await server.client.evaluate("half", { user_id: "two" });
  const again = await listen("?feature_key=half", id);
  await waitUntil(() => again.decisions().length > 0);
  expect(again.decisions().map(({ data }) => data.user_id)).toEqual(["two"]);
  await again.close();
  const stranger = await listen("?feature_key=half", "00000000-1");
  expect(stranger.status()).toEqual({ matched: 0, events: 0, fallbacks: 0, sent: 0, sampled: 0, dropped: 0 });
  await stranger.close();
});

test("whatever was missed is told, also more than a beat shows", async () => {
  const first = await listen("?feature_key=half");
  await server.client.evaluate("half", { user_id: "before" });
  await waitUntil(() => first.decisions().length === 1);
  await first.close();
  const users = Array.from({ length: 300 }, (_, i) => ({ user_id: `away-${i}` }));
  await server.client.evaluateUsers("half", users);
  const again = await listen("?feature_key=half", first.decisions()[0]?.id);
  await waitUntil(() => again.decisions().length === 300);
  expect(again.status()).toMatchObject({ matched: 300, sent: 300, sampled: 0 });
  await again.close();
});

test("events are told when they are asked for, once they are stored, and not again", async () => {
  const [both, only, rules] = await Promise.all([
    listen("?feature_key=half&events=true"),
    listen("?user_id=erna&events=only"),
    listen("?events=true&decision_source=rollout&user_id=erna"),
  ]);
  const timestamp = new Date().toISOString();
  const about = { feature_key: "half", event_type: "buy", timestamp, properties: { secret: 1 } };
  const event = { event_id: "e-1", user_id: "erna", ...about };
  await server.client.evaluate("half", { user_id: "erna" });
  const stored = await server.client.storeEvent(event);
  await server.client.storeEvent(event);
  await server.client.ingest("test", [
    { ...event, event_id: "e-2" },
    { ...event, event_id: "e-3", user_id: "fritz" },
  ]);
  await waitUntil(() => both.events().length === 3 && only.events().length === 2 && rules.decisions().length === 1);
  const told = { id: stored.id, user_id: "erna", feature_key: "half", event_type: "buy", timestamp };
  expect(both.events()[0]?.data).toEqual(told);
  expect(JSON.stringify(both.events())).not.toContain("secret");
  await waitUntil(() => both.status().matched === 4);
  expect(both.status()).toMatchObject({ events: 3, fallbacks: 0 });
  expect([both.decisions().length, only.decisions().length, rules.events().length]).toEqual([1, 0, 0]);
  await Promise.all([both.close(), only.close(), rules.close()]);
});

test("a filter that is not known is refused, and so is a limit beyond 500", async () => {
  expect((await server.call("GET", "/decisions/stream?fallbacks=maybe")).status).toBe(422);
  expect((await server.call("GET", "/decisions?limit=501")).status).toBe(422);
});

test("stored decisions are listed by feature and by user, newest first, with what was kept of the user", async () => {
  await server.client.createFeature({ key: "learns", name: "Learns", ml_enabled: true, rollout_percentage: 100 });
  await server.client.evaluate("half", { user_id: "carl", plan: "pro" });
  await server.client.evaluate("learns", { user_id: "carl", plan: "pro" });
  await server.services.observer.flush();
  const { body } = await server.call("GET", "/decisions?user_id=carl");
  expect(body.decisions).toMatchObject([
    { feature_key: "learns", attributes: { plan: "pro" }, fallback: { from: "model", cause: "no_model" } },
    { feature_key: "half", attributes: null, decision_source: "rollout" },
  ]);
  const one = await server.call("GET", "/decisions?user_id=carl&feature_key=half&limit=1");
  expect(one.body.decisions).toHaveLength(1);
  const { decision_id } = body.decisions[1];
  const byId = await server.call("GET", `/decisions?decision_id=${decision_id}`);
  expect(byId.body.decisions).toEqual([body.decisions[1]]);
  expect((await server.call("GET", "/decisions?decision_id=none")).body.decisions).toEqual([]);
  expect((await server.call("GET", `/decisions?decision_id=${decision_id}&user_id=x`)).body.decisions).toEqual([]);
  // An old one takes its user to be found.
  await server.database.sql`update exposures set at = at - interval '32 days' where decision_id = ${decision_id}`;
  const found = async (more: string) =>
    (await server.call("GET", `/decisions?decision_id=${decision_id}${more}`)).body.decisions.length;
  expect([await found(""), await found(`&user_id=${byId.body.decisions[0].user_id}`)]).toEqual([0, 1]);
});

test("the summary counts what this server served, also to users it knows, and when a feature was asked last", async () => {
  const before = (await server.call("GET", "/decisions/summary")).body;
  const of = (body: typeof before, key: string) =>
    body.features.find(({ feature_key }: { feature_key: string }) => feature_key === key);
  const { variant } = await server.client.evaluate("half", { user_id: "dora" });
  await server.client.evaluate("half", { user_id: "dora" });
  await server.services.observer.flush();
  const after = (await server.call("GET", "/decisions/summary")).body;
  expect(of(after, "half").served[variant ?? ""] - (of(before, "half").served[variant ?? ""] ?? 0)).toBe(2);
  expect(Date.now() - Date.parse(of(after, "half").last_served_at)).toBeLessThan(60_000);
  expect(of(after, "never-asked")).toMatchObject({ served: { off: 1 }, model: null });
});
