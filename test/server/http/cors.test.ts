import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

const asked = { feature_key: "any", user: { user_id: "u" } };
let server: TestServer;
afterAll(() => server.close());

describe("CORS_ALLOWED_ORIGINS", () => {
  beforeAll(async () => {
    server = await startTestServer({ settings: { CORS_ALLOWED_ORIGINS: "https://app.example, https://b.example" } });
  });

  test.each([
    ["GET", "/features", undefined, 200],
    ["POST", "/evaluate", asked, 200],
    ["POST", "/evaluate", "{", 400],
    ["GET", "/nowhere", undefined, 404],
  ])("%s %s tells an allowed origin so, and no other (%s, %i)", async (method, path, body, status) => {
    const allowed = await server.call(method, path, body, { Origin: "https://b.example" });
    expect(allowed.status).toBe(status);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://b.example");
    expect(allowed.headers.get("vary")).toBe("Origin");
    const other = await server.call(method, path, body, { Origin: "https://evil.example" });
    expect(other.headers.has("access-control-allow-origin")).toBe(false);
    expect(other.headers.get("x-frame-options")).toBe("DENY");
  });

  test("a preflight is answered for an allowed origin only", async () => {
    const preflight = (Origin: string) =>
      server.call("OPTIONS", "/evaluate", undefined, { Origin, "Access-Control-Request-Method": "POST" });
    const allowed = await preflight("https://app.example");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(allowed.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect((await preflight("https://evil.example")).headers.has("access-control-allow-origin")).toBe(false);
  });
});

test("without the setting no origin is allowed", async () => {
  const closed = await startTestServer();
  const { headers } = await closed.call("POST", "/evaluate", asked, { Origin: "https://app.example" });
  expect(headers.has("access-control-allow-origin")).toBe(false);
  await closed.close();
});

describe("without authentication", () => {
  const feature = (key: string) => ({ key, name: "Posted by a page" });
  let open: TestServer;
  beforeAll(async () => {
    open = await startTestServer({ settings: { CORS_ALLOWED_ORIGINS: "https://app.example" } });
  });
  afterAll(() => open.close());

  test("pages of other origins may not write, not even as plain text, which browsers send unasked", async () => {
    const headers = { "Content-Type": "text/plain", Origin: "https://evil.example" };
    for (const [path, body] of [
      ["/features", feature("posted")],
      ["/evaluate", asked],
      ["/ingest/events", { source: "evil", events: [] }],
    ] as const) {
      const { status, body: answer } = await open.call("POST", path, body, headers);
      expect([path, status, answer.detail.code]).toEqual([path, 403, "cross_site"]);
      expect(answer.detail.message).toContain("https://evil.example");
      expect(answer.detail.message).toContain("CORS_ALLOWED_ORIGINS");
    }
    const neighbour = { Origin: "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site" };
    expect((await open.call("POST", "/features", feature("posted"), neighbour)).status).toBe(403);
    expect((await open.call("GET", "/features/posted")).status).toBe(404);
    expect((await open.call("GET", "/features", undefined, { Origin: "https://evil.example" })).status).toBe(200);
  });

  test("our own pages, allowed origins and programs may", async () => {
    for (const [key, headers] of [
      ["own-page", { Origin: open.url, "Sec-Fetch-Site": "same-origin" }],
      ["own-page-by-origin", { Origin: open.url }],
      ["allowed-origin", { Origin: "https://app.example", "Sec-Fetch-Site": "cross-site" }],
      ["program", {}],
    ] as const)
      expect([key, (await open.call("POST", "/features", feature(key), headers)).status]).toEqual([key, 201]);
  });
});
