import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OpenApiDocument } from "../../../server/http/openapi.ts";
import { chromiumPath, openBrowser, openPage } from "../../support/browser.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test("the page and all that it is made of come from this server, by addresses of its own", async () => {
  const { headers, body: page } = await server.call("GET", "/docs");
  expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; /);
  expect(headers.get("content-security-policy")).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(3);
  expect(page).not.toMatch(/<script>|<style>|\son\w+=/);
  for (const address of addresses) {
    expect(address).toMatch(/^\/docs\/[\d.]+\/[\w.-]+$/);
    const asset = await fetch(server.url + address);
    expect([address, asset.status]).toEqual([address, 200]);
    expect(asset.headers.get("cache-control")).toContain("immutable");
    const outside =
      asset.headers.get("content-type")?.startsWith("text/css") && /url\((?!["']?data:)/.exec(await asset.text());
    expect(outside || null).toBeNull();
  }
});

test("an asset that is not there, or not of the version, is 404 and names no file outside", async () => {
  const { body: page } = await server.call("GET", "/docs");
  const version = /\/docs\/([\d.]+)\//.exec(page)?.[1];
  for (const path of [
    `/docs/${version}/package.json`,
    "/docs/0.0.1/swagger-ui.css",
    `/docs/${version}/..%2Fpackage.json`,
  ])
    expect([path, (await server.call("GET", path)).status]).toEqual([path, 404]);
});

test("ENABLE_DOCS=false: there is no page and no document", async () => {
  const { body: page } = await server.call("GET", "/docs");
  const asset = /"(\/docs\/[^"]+\.js)"/.exec(page)?.[1] ?? "";
  const silent = await startTestServer({ settings: { ENABLE_DOCS: "false" } });
  for (const path of ["/docs", "/openapi.json", asset])
    expect(await silent.call("GET", path)).toMatchObject({ status: 404, body: { detail: { code: "docs_off" } } });
  await silent.close();
});

describe.skipIf(chromiumPath === undefined)("in a browser without any other host", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test("the page shows every operation, offers each scheme, and calls the server", async () => {
    const document: OpenApiDocument = (await server.call("GET", "/openapi.json")).body;
    const { page, wrong } = await openPage(browser);
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    const elsewhere: string[] = [];
    await page.route(
      (url) => url.origin !== server.url,
      (route) => {
        elsewhere.push(route.request().url());
        return route.abort();
      },
    );
    await page.goto(`${server.url}/docs`);

    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    await page
      .locator(".opblock")
      .nth(operations.length - 1)
      .waitFor();
    expect(await page.locator(".opblock").count()).toBe(operations.length);
    expect(await page.locator(".errors-wrapper").count()).toBe(0);

    await page.locator("button.authorize").click();
    const schemes = page.locator(".auth-container h4 code");
    await schemes.first().waitFor();
    expect(await schemes.allTextContents()).toEqual(Object.keys(document.components.securitySchemes));
    await page.locator(".close-modal").click();

    const health = page.locator("#operations-operations-getHealth");
    await health.locator(".opblock-summary-control").click();
    await health.getByRole("button", { name: "Try it out" }).click();
    await health.getByRole("button", { name: "Execute" }).click();
    const answer = health.locator(".live-responses-table .microlight");
    await answer.first().waitFor();
    expect(await answer.first().textContent()).toContain('"status": "ok"');

    expect({ wrong, errors, elsewhere }).toEqual({ wrong: [], errors: [], elsewhere: [] });
    await page.close();
  });
});
