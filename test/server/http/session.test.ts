import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

const AUTH_ISSUER_KEY = "the issuer's own key";
let server: TestServer;
let now = Date.now();

beforeAll(async () => {
  server = await startTestServer({
    settings: { AUTH_ENABLED: "true", AUTH_JWT_SECRET: "a secret of at least 32 characters", AUTH_ISSUER_KEY },
    override: (services) => ({ ...services, clock: { now: () => now } }),
  });
});
afterAll(() => server.close());

/** As a browser's page of this server sends it. */
const own = () => ({ Origin: server.url, "Sec-Fetch-Site": "same-origin" });

async function signIn(asked: object = {}): Promise<string> {
  const body = { issuer_key: AUTH_ISSUER_KEY, subject: "ada", ...asked };
  const { status, headers } = await server.call("POST", "/session", body, own());
  expect(status).toBe(200);
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

test("a session is a cookie that no script reads and other sites' posts do not carry", async () => {
  const answer = await server.call("POST", "/session", { issuer_key: AUTH_ISSUER_KEY, subject: "ada" }, own());
  expect(answer.body).toEqual({ auth: true, actor: "ada", environment: null });
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^flags_session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/);
  const over = { Origin: "https://flags.example", "Sec-Fetch-Site": "same-origin" };
  const secure = await server.call("POST", "/session", { issuer_key: AUTH_ISSUER_KEY }, over);
  expect(secure.headers.get("set-cookie")).toMatch(/; Secure/);
});

test("with the cookie alone one reads, watches, and writes under one's own name", async () => {
  const Cookie = await signIn();
  expect((await server.call("GET", "/session", undefined, { Cookie })).body).toMatchObject({ actor: "ada" });
  expect((await server.call("GET", "/features", undefined, { Cookie })).status).toBe(200);
  const stream = await fetch(`${server.url}/decisions/stream`, { headers: { Cookie } });
  expect(stream.status).toBe(200);
  await stream.body?.cancel();
  const feature = { name: "Mine", key: "mine" };
  expect((await server.call("POST", "/features", feature, { ...own(), Cookie })).status).toBe(201);
  const { body } = await server.call("GET", "/features/mine/revisions", undefined, { Cookie });
  expect(body.revisions[0]).toMatchObject({ actor: "ada" });
  // Where a browser sends no Sec-Fetch-Site (plain http, not localhost), its Origin says the same.
  const asked = { feature_key: "mine", user: { user_id: "u" } };
  const older = await server.call("POST", "/evaluate", asked, { Origin: server.url, Cookie });
  expect(older.status).toBe(200);
});

test.each([
  ["another site", { Origin: "https://elsewhere.example", "Sec-Fetch-Site": "cross-site" }],
  ["a neighbour on another port or subdomain", { Origin: "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site" }],
  ["another site, as an older browser says it", { Origin: "https://elsewhere.example" }],
  ["nobody knows where", {}],
])("a write with the cookie from %s is refused, on every route", async (_, headers) => {
  const Cookie = await signIn();
  for (const [method, path, body] of [
    ["POST", "/features", { name: "Forged", key: "forged" }],
    ["DELETE", "/features/mine", undefined],
    ["POST", "/evaluate", { feature_key: "mine", user: { user_id: "u" } }],
    ["POST", "/events", { user_id: "u", feature_key: "mine", event_type: "view" }],
  ] as const)
    for (const type of ["application/json", "text/plain"]) {
      const answer = await server.call(method, path, body, { ...headers, Cookie, "Content-Type": type });
      expect([path, answer.status, answer.body.detail?.code]).toEqual([path, 403, "cross_site"]);
    }
});

test("another site cannot sign anybody in or out, and a bearer token needs no origin", async () => {
  const elsewhere = { Origin: "https://elsewhere.example", "Sec-Fetch-Site": "cross-site" };
  const body = { issuer_key: AUTH_ISSUER_KEY };
  expect((await server.call("POST", "/session", body, elsewhere)).status).toBe(403);
  expect((await server.call("DELETE", "/session", undefined, elsewhere)).status).toBe(403);
  const { access_token } = (await server.call("POST", "/auth/token", body)).body;
  const bearer = { ...elsewhere, Authorization: `Bearer ${access_token}` };
  expect((await server.call("POST", "/features", { name: "By token", key: "by-token" }, bearer)).status).toBe(201);
});

test("a token opens a session too, and one of them must be given", async () => {
  const { body } = await server.call("POST", "/auth/token", { issuer_key: AUTH_ISSUER_KEY, subject: "grace" });
  const { access_token } = body;
  const made = await server.call("POST", "/session", { access_token }, own());
  expect([made.status, made.body.actor]).toEqual([200, "grace"]);
  for (const [asked, status] of [
    [{}, 422],
    [{ access_token, issuer_key: AUTH_ISSUER_KEY }, 422],
    [{ access_token: "abc" }, 401],
    [{ issuer_key: "another" }, 401],
  ] as const) {
    const answer = await server.call("POST", "/session", asked, own());
    expect([asked, answer.status, answer.headers.get("set-cookie")]).toEqual([asked, status, null]);
  }
});

test("an expired session is told from none, and signing out takes the cookie away", async () => {
  const Cookie = await signIn({ expires_minutes: 5 });
  now += 6 * 60_000;
  for (const [cookie, code] of [
    [Cookie, "token_expired"],
    ["other=1", "no_token"],
    ["flags_session=x", "invalid_token"],
  ] as const) {
    const { status, body } = await server.call("GET", "/session", undefined, { Cookie: cookie });
    expect([cookie, status, body.detail.code]).toEqual([cookie, 401, code]);
  }
  const out = await server.call("DELETE", "/session", undefined, { ...own(), Cookie });
  expect([out.status, out.headers.get("set-cookie")]).toEqual([204, "flags_session=; Max-Age=0; Path=/"]);
});

test("where nobody needs a token there is no session to make, and everybody may ask who asks", async () => {
  const open = await startTestServer();
  expect((await open.call("POST", "/session", { issuer_key: "x" })).body.detail.code).toBe("auth_off");
  expect((await open.call("GET", "/session")).body).toEqual({ auth: false, actor: "anonymous", environment: null });
  await open.close();
});
