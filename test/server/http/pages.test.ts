import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test("the start page runs its own script and style, and nothing else", async () => {
  const { body, headers } = await server.call("GET", "/");
  const policy = headers.get("content-security-policy") ?? "";
  for (const tag of ["script", "style"]) {
    const [block] = new RegExp(`(?<=<${tag}>)[\\s\\S]*?(?=</${tag}>)`).exec(body) ?? [""];
    expect(block.length).toBeGreaterThan(10);
    expect(policy).toContain(`${tag}-src 'sha256-${createHash("sha256").update(block).digest("base64")}'`);
  }
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("unsafe");
  expect(body).not.toMatch(/innerHTML|https?:\/\//);
});

test("the docs load nothing from elsewhere, and no file but their own", async () => {
  const { body, headers } = await server.call("GET", "/docs");
  expect(headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(body).not.toMatch(/https?:\/\//);
  const folder = /\/docs\/[^/"]+/.exec(body)?.[0];
  for (const file of ["package.json", "constructor", "..%2f..%2fpackage.json", "swagger-ui.js"])
    expect([file, (await server.call("GET", `${folder}/${file}`)).status]).toEqual([file, 404]);
  expect((await server.call("GET", "/docs/0.0.0/swagger-ui.css")).status).toBe(404);
});

test("ENABLE_DOCS=false hides both the page and the document", async () => {
  const hidden = await startTestServer({ settings: { ENABLE_DOCS: "false" } });
  for (const path of ["/docs", "/openapi.json"])
    expect(await hidden.call("GET", path)).toMatchObject({ status: 404, body: { detail: { code: "docs_off" } } });
  await hidden.close();
});
