import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleRequest, sendRequest } from "../support/api-request.ts";
import {
  type DocumentedApi,
  type DocumentedOperation,
  documentedApi,
  type Received,
} from "../support/documented-api.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** With authentication, each operation asks for a token where its document says so, and for nothing elsewhere. */
const AUTH_ISSUER_KEY = "the issuer's own key";
const known = { feature: ["kept"], environment: ["production"] };
let server: TestServer;
let api: DocumentedApi;
let token: string;
let pinned: string;

beforeAll(async () => {
  const settings = { AUTH_ENABLED: "true", AUTH_JWT_SECRET: "a secret of at least 32 characters", AUTH_ISSUER_KEY };
  server = await startTestServer({ settings });
  api = documentedApi((await server.call("GET", "/openapi.json")).body);
  token = await issue({});
  pinned = await issue({ environment: "staging" });
  await server.call("POST", "/environments", { key: "staging" }, { "X-API-Key": token });
});
afterAll(() => server.close());

async function issue(asked: object): Promise<string> {
  const name = "POST /auth/token";
  const answer = await server.call("POST", "/auth/token", { issuer_key: AUTH_ISSUER_KEY, ...asked });
  expect([answer.status, ...api.misfitsOf(api.find(name), answer)]).toEqual([200]);
  return answer.body.access_token;
}

/** Asks with these headers, and with a body that nothing can come of; what is answered must be documented. */
async function ask(operation: DocumentedOperation, headers: Record<string, string>): Promise<Received> {
  const { path } = exampleRequest(api, operation, known);
  const body = operation.requestBody === undefined ? undefined : "{";
  const answer = await sendRequest(server.url, operation.method, { path, headers, body });
  expect([operation.name, headers, ...api.misfitsOf(operation, answer)]).toEqual([operation.name, headers]);
  return answer;
}

const guarded = () => api.operations.filter(({ security }) => security.length > 0);
const open = () => api.operations.filter(({ security }) => security.length === 0);

/** As a page of this server's own sends a session. */
const cookie = (session: string) => ({
  Cookie: `flags_session=${session}`,
  Origin: server.url,
  "Sec-Fetch-Site": "same-origin",
});

test("operations with a scheme are 401 without a token, and with one that is not ours", async () => {
  const without: Record<string, string>[] = [
    {},
    { Authorization: "Bearer not.a.token" },
    { "X-API-Key": "nor this" },
    cookie("nor.this.one"),
  ];
  for (const operation of guarded())
    for (const headers of without) {
      const { status } = await ask(operation, headers);
      expect([operation.name, headers, status]).toEqual([operation.name, headers, 401]);
    }
});

test("they take it by each scheme, and 403 is for another environment", async () => {
  const schemes: Record<string, string>[] = [
    { Authorization: `Bearer ${token}` },
    { "X-API-Key": token },
    cookie(token),
  ];
  for (const operation of guarded()) {
    for (const headers of schemes) {
      const { status } = await ask(operation, headers);
      expect([operation.name, headers, [401, 403, 500].includes(status)]).toEqual([operation.name, headers, false]);
    }
    const elsewhere = { Authorization: `Bearer ${pinned}`, "X-Environment": "production" };
    expect([operation.name, (await ask(operation, elsewhere)).status]).toEqual([operation.name, 403]);
  }
});

test("the others ask for none", async () => {
  for (const operation of open())
    expect([operation.name, (await ask(operation, {})).status]).not.toEqual([operation.name, 401]);
});

test("a session begins, says whose it is, and ends, as documented", async () => {
  const check = async (name: string, status: number, body?: object, headers?: Record<string, string>) => {
    const { method, path } = api.find(name);
    const answer = await server.call(method, path, body, headers);
    expect([name, answer.status, ...api.misfitsOf(api.find(name), answer)]).toEqual([name, status]);
    return answer;
  };
  const { headers } = await check("POST /session", 200, { issuer_key: AUTH_ISSUER_KEY, subject: "ada" });
  const Cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  const { body } = await check("GET /session", 200, undefined, { Cookie });
  expect(body).toMatchObject({ auth: true, actor: "ada" });
  await check("DELETE /session", 204, undefined, { Cookie });
  await check("POST /environments", 403, { key: "third" }, { Authorization: `Bearer ${pinned}` });
});
