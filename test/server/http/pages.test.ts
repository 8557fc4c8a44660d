import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test.each(["/", "/app", "/app/live", "/app/features/a%2Fb"])(
  "%s is the dashboard, of its own files only",
  async (path) => {
    const { status, body, headers } = await server.call("GET", path);
    expect([status, headers.get("cache-control")]).toEqual([200, "no-cache"]);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(body).not.toMatch(/https?:\/\/|<script>|<style| style=| on\w+=/);
    const files = [...body.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, file]) => file)
      .filter((file) => file !== "/docs");
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/assets\/[\w-]+-[\w-]{8}\.(js|css|svg)$/);
      const asset = await server.call("GET", file ?? "");
      expect([file, asset.status, asset.headers.get("cache-control")]).toEqual([
        file,
        200,
        "public, max-age=31536000, immutable",
      ]);
    }
  },
);

test("the first page's script is under 60 kB as it is sent", async () => {
  const { body } = await server.call("GET", "/");
  const [, script = ""] = /src="([^"]+\.js)"/.exec(body) ?? [];
  const response = await fetch(server.url + script, { headers: { "Accept-Encoding": "gzip" } });
  expect(response.headers.get("content-encoding")).toBe("gzip");
  expect(gzipSync(await response.text(), { level: 9 }).length).toBeLessThan(60_000);
});

test("the dashboard serves no file but its own", async () => {
  for (const file of ["index.html", ".sources", "..%2findex.html", "constructor"])
    expect([file, (await server.call("GET", `/assets/${file}`)).status]).toEqual([file, 404]);
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
