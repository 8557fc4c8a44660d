import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

const AUTH_JWT_SECRET = "a secret of at least 32 characters";
const AUTH_ISSUER_KEY = "the issuer's own key";
let server: TestServer;
let now = Date.now();

beforeAll(async () => {
  server = await startTestServer({
    settings: { AUTH_ENABLED: "true", AUTH_JWT_SECRET, AUTH_ISSUER_KEY },
    override: (services) => ({ ...services, clock: { now: () => now } }),
  });
});
afterAll(() => server.close());

async function token(asked: object = {}): Promise<string> {
  const { body } = await server.call("POST", "/auth/token", { issuer_key: AUTH_ISSUER_KEY, ...asked });
  return body.access_token;
}

const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });

describe("POST /auth/token", () => {
  test("gives a bearer token for the issuer key, for as long as was asked", async () => {
    const asked = { issuer_key: AUTH_ISSUER_KEY, subject: "ada", expires_minutes: 5 };
    const { status, body } = await server.call("POST", "/auth/token", asked);
    expect(status).toBe(200);
    expect(body).toEqual({ access_token: expect.any(String), token_type: "bearer", expires_in: 300 });
    const { body: standard } = await server.call("POST", "/auth/token", { issuer_key: AUTH_ISSUER_KEY });
    expect(standard.expires_in).toBe(3600);
  });

  test("refuses another key, and none", async () => {
    const wrong = await server.call("POST", "/auth/token", { issuer_key: `${AUTH_ISSUER_KEY}!` });
    expect(wrong).toMatchObject({ status: 401, body: { detail: { code: "wrong_issuer_key" } } });
    expect(JSON.stringify(wrong.body)).not.toContain(AUTH_ISSUER_KEY);
    expect(await server.call("POST", "/auth/token", {})).toMatchObject({
      status: 422,
      body: { detail: { field: "issuer_key" } },
    });
  });
});

describe("without a token", () => {
  test.each(["/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json"])("%s is open", async (path) => {
    expect((await server.call("GET", path)).status).toBe(200);
  });

  test.each([
    ["GET", "/features"],
    ["POST", "/features"],
    ["POST", "/evaluate"],
    ["POST", "/evaluate/batch"],
    ["POST", "/events"],
    ["POST", "/ingest/events"],
    ["POST", "/train"],
    ["GET", "/model/status"],
    ["GET", "/experiments"],
    ["GET", "/environments"],
    ["GET", "/metrics"],
    ["GET", "/nothing-here"],
    ["GET", "/health/"],
    ["GET", "//features"],
  ])("%s %s is 401 with WWW-Authenticate", async (method, path) => {
    const { status, headers, body } = await server.call(method, path, method === "POST" ? {} : undefined);
    expect(status).toBe(401);
    expect(body.detail.code).toBe("no_token");
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

test("without a token nothing of the body is looked at, however wrong it is", async () => {
  for (const body of ["{", "x".repeat(1_000_000)])
    for (const path of ["/evaluate", "/features"]) {
      expect([path, (await server.call("POST", path, body)).status]).toEqual([path, 401]);
      const strange = bearer("abc");
      expect([path, (await server.call("POST", path, body, strange)).status]).toEqual([path, 401]);
    }
  expect((await server.call("GET", "/health")).status).toBe(200);
});

describe("with a token", () => {
  test("routes open, and its subject is the author of changes, whatever X-Actor says", async () => {
    const headers = { ...bearer(await token({ subject: "ada" })), "X-Actor": "mallory", "X-Reason": "first try" };
    expect((await server.call("POST", "/features", { name: "Mine", key: "mine" }, headers)).status).toBe(201);
    const { body } = await server.call("GET", "/features/mine/revisions", undefined, headers);
    expect(body.revisions[0]).toMatchObject({ actor: "ada", reason: "first try" });
  });

  test("it is refused after its time, also when it was used before", async () => {
    const headers = bearer(await token({ expires_minutes: 10 }));
    expect((await server.call("GET", "/features", undefined, headers)).status).toBe(200);
    now += 10 * 60_000 + 1000;
    for (const headersLater of [headers, bearer(await token())])
      expect((await server.call("GET", "/features", undefined, headersLater)).status).toBe(
        headersLater === headers ? 401 : 200,
      );
    const { body } = await server.call("GET", "/features", undefined, headers);
    expect(body.detail.code).toBe("token_expired");
  });

  test.each([
    ["signed with another secret", () => sign("another secret of 32 characters!", {})],
    ["without a subject", () => sign(AUTH_JWT_SECRET, { sub: undefined })],
    ["that is no token", async () => "abc"],
    ["unsigned", async () => `${btoa('{"alg":"none"}')}.${btoa('{"sub":"x","exp":9999999999}')}.`.replaceAll("=", "")],
  ])("one %s is 401", async (_, make) => {
    const { status, body } = await server.call("GET", "/features", undefined, bearer(await make()));
    expect([status, body.detail.code]).toEqual([401, "invalid_token"]);
  });

  test("one made for an environment opens no other, and makes none", async () => {
    const all = bearer(await token());
    expect((await server.call("POST", "/environments", { key: "staging" }, all)).status).toBe(201);
    const pinned = bearer(await token({ environment: "staging" }));
    await server.call("POST", "/features", { name: "Staged", key: "staged" }, pinned);
    const inStaging = await server.call("GET", "/features", undefined, { ...all, "X-Environment": "staging" });
    expect(inStaging.body.map(({ key }: { key: string }) => key)).toEqual(["staged"]);
    const other = { ...pinned, "X-Environment": "production" };
    for (const [method, path, body] of [
      ["GET", "/features", undefined],
      ["POST", "/evaluate", { feature_key: "mine", user: { user_id: "u" } }],
    ] as const)
      expect(await server.call(method, path, body, other)).toMatchObject({
        status: 403,
        body: { detail: { code: "wrong_environment" } },
      });
    expect((await server.call("POST", "/environments", { key: "third" }, pinned)).status).toBe(403);
    const { body } = await server.call("GET", "/environments", undefined, pinned);
    expect(body.map(({ key }: { key: string }) => key)).toEqual(["staging"]);
  });
});

function sign(secret: string, claims: { sub?: string | undefined }): Promise<string> {
  const jwt = new SignJWT("sub" in claims ? {} : { sub: "ada" }).setProtectedHeader({ alg: "HS256" });
  return jwt.setExpirationTime(Math.floor(now / 1000) + 600).sign(new TextEncoder().encode(secret));
}
