import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Bad input gets a clear error and loses nothing. */
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.createFeature({ name: "Feature", key: "feature", rollout_percentage: 100 });
});
afterAll(async () => {
  // Whatever was sent: the feature is as it was, and the server still decides.
  expect(await server.client.evaluate("feature", { user_id: "u" })).toMatchObject({
    enabled: true,
    feature_version: 1,
  });
  await server.close();
});

const evaluate = (body: unknown) => server.call("POST", "/evaluate", body);

describe("POST /evaluate refuses", () => {
  test.each([
    ["no user", { feature_key: "feature" }, "user"],
    ["a missing user_id", { feature_key: "feature", user: { plan: "pro" } }, "user.user_id"],
    ["an empty user_id", { feature_key: "feature", user: { user_id: "" } }, "user.user_id"],
    ["a user_id of the wrong type", { feature_key: "feature", user: { user_id: 7 } }, "user.user_id"],
    ["a user_id that is too long", { feature_key: "feature", user: { user_id: "x".repeat(201) } }, "user.user_id"],
    ["a user that is a list", { feature_key: "feature", user: ["u"] }, "user"],
    ["a missing feature_key", { user: { user_id: "u" } }, "feature_key"],
    ["a feature_key of the wrong type", { feature_key: ["feature"], user: { user_id: "u" } }, "feature_key"],
    ["an explain of the wrong type", { feature_key: "feature", user: { user_id: "u" }, explain: "yes" }, "explain"],
    ["a body that is a list", [], ""],
    ["a body that is null", "null", ""],
  ])("%s: 422 that names it", async (_, sent, field) => {
    const { status, body } = await evaluate(sent);
    expect(status).toBe(422);
    expect(body.detail).toMatchObject({ code: "validation_error", field });
    expect(body.detail.message.length).toBeGreaterThan(5);
  });

  test("numbers that are not finite: 422", async () => {
    const { status, body } = await evaluate('{"feature_key":"feature","user":{"user_id":"u","a":{"b":[1,1e999]}}}');
    expect(status).toBe(422);
    expect(body.detail).toMatchObject({ code: "validation_error", field: "user.a.b.1" });
    expect(body.detail.message).toContain("finite");
  });

  test("attributes that nest too deep: 422; ten levels are fine", async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const sent = (depth: number) => `{"feature_key":"feature","user":{"user_id":"u","deep":${nested(depth)}}}`;
    expect((await evaluate(sent(10))).status).toBe(200);
    const refused = await evaluate(sent(11));
    expect(refused).toMatchObject({ status: 422, body: { detail: { code: "validation_error" } } });
    expect(refused.body.detail.message).toContain("10 deep");
    expect((await evaluate(sent(20_000))).status).toBe(422);
  });

  test("a megabyte of attributes: 413 that says the limit", async () => {
    const { status, body } = await evaluate({
      feature_key: "feature",
      user: { user_id: "u", text: "x".repeat(2 ** 20) },
    });
    expect(status).toBe(413);
    expect(body.detail).toMatchObject({ code: "body_too_large" });
    expect(body.detail.message).toContain("256 KB");
  });

  test.each([
    ["cut off", '{"feature_key":'],
    ["not JSON", "feature=1"],
    ["empty", ""],
    ["with a NaN", '{"feature_key":"feature","user":{"user_id":"u","x":NaN}}'],
  ])("a body that is %s: 400 malformed_json", async (_, sent) => {
    expect(await evaluate(sent)).toMatchObject({ status: 400, body: { detail: { code: "malformed_json" } } });
  });

  test("nothing else: JSON is taken without its content type, and in a body of unknown length", async () => {
    const body = JSON.stringify({ feature_key: "feature", user: { user_id: "u" } });
    const plain = await server.call("POST", "/evaluate", body, { "Content-Type": "text/plain" });
    expect(plain).toMatchObject({ status: 200, body: { enabled: true } });
    const chunked = await fetch(`${server.url}/evaluate`, {
      method: "POST",
      body: new Blob([body]).stream(),
      duplex: "half",
    });
    expect(await chunked.json()).toMatchObject({ enabled: true });
  });

  test("a body of unknown length over the limit: 413", async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)) });
    const answer = await fetch(`${server.url}/evaluate`, { method: "POST", body: endless, duplex: "half" });
    expect(answer.status).toBe(413);
  });
});

describe("prototype keys", () => {
  test("are harmless as attributes", async () => {
    const sent = `{"feature_key":"feature","user":{"user_id":"u","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`;
    expect((await evaluate(sent)).status).toBe(200);
    expect({}).not.toHaveProperty("polluted");
  });

  test("are harmless as feature keys", async () => {
    for (const feature_key of ["__proto__", "constructor", "toString", "hasOwnProperty"])
      expect(await evaluate({ feature_key, user: { user_id: "u" } })).toMatchObject({
        status: 200,
        body: { decision_source: "feature_not_found" },
      });
  });

  test("are refused as keys and variants of a feature", async () => {
    const key = await server.call("POST", "/features", { name: "Proto", key: "__proto__" });
    expect(key).toMatchObject({ status: 422, body: { detail: { field: "key" } } });
    const variant = await server.call(
      "POST",
      "/features",
      '{"name":"Proto","key":"proto","variants":{"__proto__":true}}',
    );
    expect(variant.status).toBe(422);
  });
});

describe("features that are not sound", () => {
  const create = (more: object) => server.call("POST", "/features", { name: "Unsound", key: "unsound", ...more });
  afterAll(async () => {
    expect((await server.call("GET", "/features/unsound")).status).toBe(404);
  });

  test("an invalid regex is named", async () => {
    const when = { attribute: "/email", op: "matches", value: "(" };
    const { status, body } = await create({
      steps: [{ id: "one", strategy: "hash-bucketing", when, config: { arms: [{ variant: "on", weight: 100 }] } }],
    });
    expect(status).toBe(422);
    expect(body.detail.field).toBe("steps.0.when.value");
  });

  test("weights that do not sum to 100 are refused", async () => {
    const arms = [
      { variant: "on", weight: 50 },
      { variant: "off", weight: 40 },
    ];
    const { status, body } = await create({ steps: [{ id: "one", strategy: "hash-bucketing", config: { arms } }] });
    expect(status).toBe(422);
    expect(body.detail.field).toMatch(/^steps\.0\.config/);
    expect(body.detail.message).toMatch(/100/);
  });

  test("an unknown strategy, variant, segment or prerequisite is named", async () => {
    const step = (more: object) => ({
      steps: [{ id: "one", strategy: "hash-bucketing", config: { arms: [{ variant: "on", weight: 100 }] }, ...more }],
    });
    for (const [more, word] of [
      [step({ strategy: "crystal-ball" }), "crystal-ball"],
      [step({ config: { arms: [{ variant: "purple", weight: 100 }] } }), "purple"],
      [step({ when: { segment: "no-such-segment" } }), "no-such-segment"],
      [step({ when: { feature: "no_such_feature" } }), "no_such_feature"],
    ] as const) {
      const { status, body } = await create(more);
      expect([word, status]).toEqual([word, 422]);
      expect(body.detail.message).toContain(word);
    }
  });

  test("a field that does not exist is named, not dropped", async () => {
    const { status, body } = await create({ rollout_percent: 10 });
    expect(status).toBe(422);
    expect(body.detail).toMatchObject({ field: "rollout_percent", code: "validation_error" });
  });

  test("prerequisites in a circle are refused", async () => {
    const requires = (feature: string) => ({
      steps: [
        {
          id: "one",
          strategy: "hash-bucketing",
          when: { feature },
          config: { arms: [{ variant: "on", weight: 100 }] },
        },
      ],
    });
    await server.client.createFeature({ name: "First", key: "first" });
    await server.client.createFeature({ name: "Second", key: "second", ...requires("first") });
    const { status, body } = await server.call("PUT", "/features/first", {
      name: "First",
      key: "first",
      ...requires("second"),
    });
    expect(status).toBe(422);
    expect(body.detail.message).toMatch(/first/);
    expect(body.detail.message).toMatch(/second/);
    expect((await server.call("GET", "/features/first")).body.version).toBe(1);
    // Nor may something be deleted that another feature asks.
    expect((await server.call("DELETE", "/features/first")).status).toBe(422);
  });
});

describe("writers", () => {
  test("a stale If-Match is 412 with both versions; the right one is taken, quoted or not", async () => {
    const feature = { name: "Versioned", key: "versioned" };
    await server.client.createFeature(feature);
    const put = (version: string, more: object) =>
      server.call("PUT", "/features/versioned", { ...feature, ...more }, { "If-Match": version });
    expect(await put('"1"', { description: "second" })).toMatchObject({ status: 200, body: { version: 2 } });
    const stale = await put('"1"', { description: "lost" });
    expect(stale).toMatchObject({ status: 412, body: { detail: { code: "stale_version" } } });
    expect(stale.body.detail.message).toMatch(/\b2\b.*\b1\b/);
    expect(stale.headers.get("etag")).toBe('"2"');
    expect(await put("2", { description: "third" })).toMatchObject({ status: 200, body: { version: 3 } });
    expect(await put("yesterday", {})).toMatchObject({ status: 422, body: { detail: { field: "If-Match" } } });
    const remove = (version: string) =>
      server.call("DELETE", "/features/versioned", undefined, { "If-Match": version });
    expect((await remove('"2"')).status).toBe(412);
    expect((await remove('"3"')).status).toBe(204);
  });

  test("two that race with the same version: one wins, one is told, nothing is lost", async () => {
    const feature = { name: "Raced", key: "raced" };
    await server.client.createFeature(feature);
    const answers = await Promise.all(
      ["a", "b", "c", "d"].map((description) =>
        server.call(
          "PUT",
          "/features/raced",
          { ...feature, description },
          { "If-Match": '"1"', "X-Actor": description },
        ),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    const winner = answers.find(({ status }) => status === 200);
    const stored = await server.call("GET", "/features/raced");
    expect(stored.body).toMatchObject({ version: 2, description: winner?.body.description });
    const { revisions } = (await server.call("GET", "/features/raced/revisions")).body;
    expect(revisions.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
    expect(revisions[0]).toMatchObject({ actor: winner?.body.description });
  });

  test("two that race to create one key: one is 201, the other 409", async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => server.call("POST", "/features", { name: "Twins", key: "twins" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe("requests that are not requests", () => {
  test("an unknown route is 404, a wrong method 405 with Allow", async () => {
    expect(await server.call("GET", "/nope")).toMatchObject({ status: 404, body: { detail: { code: "not_found" } } });
    for (const [method, path, allow] of [
      ["GET", "/evaluate", "POST"],
      ["PATCH", "/features", "GET, POST"],
      ["POST", "/features/feature", "GET, PUT, DELETE"],
    ] as const) {
      const answer = await server.call(method, path, method === "GET" ? undefined : {});
      expect(answer).toMatchObject({ status: 405, body: { detail: { code: "method_not_allowed" } } });
      expect(answer.headers.get("allow")).toBe(allow);
    }
  });

  test("headers beyond 16 KB are refused", async () => {
    const answer = await server.call("GET", "/health", undefined, { "X-Long": "x".repeat(20_000) });
    expect(answer.status).toBe(431);
  });

  test("what is no HTTP is refused and the server goes on", async () => {
    const { port, hostname } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write("\u0016\u0003\u0001 not http\r\n\r\n"));
      let text = "";
      socket
        .on("data", (data) => (text += data))
        .on("end", () => resolve(text))
        .on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect((await server.call("GET", "/health")).status).toBe(200);
  });
});
